package import Model

/// What every object store promises, as checks that run on any of them.
///
/// A check gets a new, empty store, blocks (run it in `offPool`), and throws a sentence when the
/// promise is broken. Use: `@Test(arguments: ObjectStoreContract.checks)`.
package struct ObjectStoreContract: Sendable, CustomStringConvertible {
    /// The promise, as a sentence.
    package let description: String
    /// Throws when the store breaks it.
    package let run: @Sendable (any ObjectStore) throws -> Void

    init(_ description: String, _ run: @escaping @Sendable (any ObjectStore) throws -> Void) {
        self.description = description
        self.run = run
    }

    /// All of them; those about appending pass at once where a store cannot append.
    package static let checks =
        objectChecks + writerChecks + listingChecks + concurrencyChecks + appendingChecks

    // MARK: tools of the checks

    static func expect(
        _ condition: Bool, _ sentence: @autoclosure () -> String, line: UInt = #line
    ) throws {
        if !condition { throw TidemarkError(.failed, "line \(line): \(sentence())", line: line) }
    }

    /// The call must fail with this code.
    static func expect(
        _ code: TidemarkError.Code, _ what: String, line: UInt = #line,
        _ body: () throws -> Void
    ) throws {
        do {
            try body()
        } catch let error as TidemarkError where error.code == code {
            return
        }
        throw TidemarkError(.failed, "line \(line): \(what) did not fail with \(code)", line: line)
    }

    /// The whole object.
    static func content(
        _ store: any ObjectStore, _ key: ObjectKey, from offset: UInt64 = 0, step: Int = 1 << 20
    ) throws -> [UInt8] {
        let reader = try store.open(key, at: offset)
        defer { reader.close() }
        var bytes: [UInt8] = []
        while true {
            let piece = try reader.read(step)
            if piece.isEmpty { return bytes }
            bytes += piece
        }
    }

    static func keys(_ store: any ObjectStore, _ prefix: String) throws -> [String] {
        try store.list(prefix).map(\.key.path)
    }
}
