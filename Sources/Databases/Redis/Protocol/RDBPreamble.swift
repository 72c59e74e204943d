package import Model

/// The beginning of an RDB: version and auxiliary fields (Redis's `rdb.c`, `rdbSaveInfoAuxFields`).
///
/// `REDIS` and four digits, from Valkey 9 on `VALKEY` and three; then fields of opcode FA, a name
/// and a value. `repl-id`, `repl-offset` and `repl-stream-db` say where in which history the file
/// was taken, and which database was selected.
package struct RDBPreamble: Hashable, Sendable {
    package var version: Int
    package var fields: [String: String]

    /// More than any server writes before its data.
    static let limit = 64 << 10
    private static let auxiliary: UInt8 = 0xfa

    /// Nil when `bytes` ends before the fields do. Throws `archiveDamaged` for what is no RDB.
    package init?(_ bytes: [UInt8]) throws(TidemarkError) {
        var scanner = RDBScanner(bytes)
        guard let magic = scanner.take(9) else { return nil }
        let names = ["REDIS", "VALKEY"]
        guard let name = names.first(where: { magic.starts(with: $0.utf8) }),
            let version = Int(String(decoding: magic.dropFirst(name.utf8.count), as: UTF8.self))
        else { throw Self.damaged("it does not begin like an RDB") }
        var fields: [String: String] = [:]
        while true {
            guard let opcode = scanner.peek() else { return nil }
            guard opcode == Self.auxiliary else { break }
            _ = scanner.take(1)
            guard let name = try scanner.string(), let value = try scanner.string() else {
                if bytes.count >= Self.limit { throw Self.damaged("its header is endless") }
                return nil
            }
            fields[name] = value
        }
        self.version = version
        self.fields = fields
    }

    /// Of the server that wrote it, as it calls itself; nil when the file does not tell.
    var release: String? {
        fields["valkey-ver"].map { "valkey " + $0 } ?? fields["redis-ver"]
    }

    static func damaged(_ what: String) -> TidemarkError {
        TidemarkError(
            .archiveDamaged, "the RDB of the base backup is damaged: \(what)",
            remedy: "take a new base backup (`tidemark backup`); if it fails again check the "
                + "source's memory")
    }
}
