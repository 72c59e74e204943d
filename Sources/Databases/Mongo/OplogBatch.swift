package import Model

/// Entries of one answer, laid one behind the other as the archive stores them.
package struct OplogBatch {
    /// What the archive's index is told of an entry.
    struct Note: Hashable, Sendable {
        var ts: OpTime
        /// Milliseconds since 1970.
        var wall: Int64
        /// The name of a restore point that this entry is.
        var point: String?
    }

    /// The entries.
    package private(set) var bytes: [UInt8] = []
    /// Where the last entry begins.
    private(set) var lastStart = 0
    private(set) var last = OpTime.zero
    private(set) var first = OpTime.zero
    /// One for each new moment of the primary's clock, and for each restore point.
    private(set) var notes: [Note] = []

    /// Bytes of entries that are handed on at once; a larger entry goes alone.
    static let limit = 1 << 20

    var isEmpty: Bool { bytes.isEmpty }

    /// Walks the batch of an answer in place and hands its entries on, copied once, in pieces of at
    /// most `limit`. Returns their bytes.
    package static func split(
        _ reply: Span<UInt8>, _ name: String, skippingFirst: Bool,
        _ body: (OplogBatch) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> Int {
        guard var walker = try walker(reply, name, skippingFirst: skippingFirst) else { return 0 }
        return try handOn(reply, &walker, body)
    }

    private static func walker(
        _ reply: Span<UInt8>, _ name: String, skippingFirst: Bool
    ) throws(TidemarkError) -> BSONWalker? {
        do throws(BSONFailure) {
            guard let place = try find(reply, name) else { return nil }
            var walker = try BSONWalker(reply, at: place)
            if skippingFirst { _ = try walker.next(reply) }
            return walker
        } catch {
            throw malformed(error)
        }
    }

    private static func handOn(
        _ reply: Span<UInt8>, _ walker: inout BSONWalker,
        _ body: (OplogBatch) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> Int {
        var batch = OplogBatch()
        batch.bytes.reserveCapacity(limit)
        var total = 0
        var waiting: (start: Int, head: EntryHead)?
        repeat {
            batch.clear()
            do throws(BSONFailure) {
                waiting = try batch.fill(reply, &walker, waiting)
            } catch {
                throw malformed(error)
            }
            guard !batch.isEmpty else { break }
            total += batch.bytes.count
            try body(batch)
        } while waiting != nil
        return total
    }

    /// Adds entries while they fit; returns the first that does not.
    private mutating func fill(
        _ reply: Span<UInt8>, _ walker: inout BSONWalker,
        _ waiting: (start: Int, head: EntryHead)?
    ) throws(BSONFailure) -> (start: Int, head: EntryHead)? {
        if let waiting { try add(reply, waiting.start, waiting.head) }
        while let element = try walker.next(reply) {
            let start = element.value.lowerBound
            let head = try EntryHead(reply, at: start)
            if !isEmpty, bytes.count + head.length > Self.limit { return (start, head) }
            try add(reply, start, head)
        }
        return nil
    }

    private mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        notes.removeAll(keepingCapacity: true)
    }

    private mutating func add(
        _ reply: Span<UInt8>, _ start: Int, _ head: EntryHead
    ) throws(BSONFailure) {
        guard head.ts > last else {
            throw BSONFailure("the oplog went from \(last) to \(head.ts)", at: start)
        }
        if isEmpty { first = head.ts }
        lastStart = bytes.count
        last = head.ts
        let entry = reply.extracting(start..<start + head.length)
        unsafe entry.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        guard let wall = head.wall else { return }
        let point = head.kind == .noop ? try RestorePointNote.name(in: entry) : nil
        if point != nil || wall != notes.last?.wall {
            notes.append(Note(ts: head.ts, wall: wall, point: point))
        }
    }

    /// Where `cursor.<name>` begins in an answer.
    static func find(
        _ reply: Span<UInt8>, _ name: String
    ) throws(BSONFailure) -> Int? {
        guard let cursor = try value(reply, at: 0, "cursor"), cursor.type == .document,
            let batch = try value(reply, at: cursor.value.lowerBound, name), batch.type == .array
        else { return nil }
        return batch.value.lowerBound
    }

    /// Where the document `cursor.<name>` lies in an answer.
    static func findDocument(
        _ reply: Span<UInt8>, _ name: String
    ) throws(BSONFailure) -> Range<Int>? {
        guard let cursor = try value(reply, at: 0, "cursor"), cursor.type == .document,
            let found = try value(reply, at: cursor.value.lowerBound, name),
            found.type == .document
        else { return nil }
        return found.value
    }

    /// The cursor's number; 0 when it is closed.
    static func cursorID(_ reply: Span<UInt8>) throws(TidemarkError) -> UInt64 {
        do throws(BSONFailure) {
            guard let cursor = try value(reply, at: 0, "cursor"), cursor.type == .document,
                let id = try value(reply, at: cursor.value.lowerBound, "id"), id.type == .int64
            else { return 0 }
            return reply.uint64(at: id.value.lowerBound)
        } catch {
            throw malformed(error)
        }
    }

    private static func value(
        _ bytes: Span<UInt8>, at start: Int, _ name: String
    ) throws(BSONFailure) -> BSONElement? {
        var walker = try BSONWalker(bytes, at: start)
        while let element = try walker.next(bytes) {
            if bytes.holds(name, at: element.name) { return element }
        }
        return nil
    }

    static func malformed(_ failure: BSONFailure) -> TidemarkError {
        failure.error(
            .sourceUnreachable, in: "an answer of the server",
            remedy: "Tidemark connects again by itself; if this goes on, check the source's memory "
                + "and the network between")
    }
}

extension Span<UInt8> {
    /// Whether these bytes are that text.
    func holds(_ text: String, at range: Range<Int>) -> Bool {
        guard range.count == text.utf8.count else { return false }
        var place = range.lowerBound
        for byte in text.utf8 {
            if self[place] != byte { return false }
            place += 1
        }
        return true
    }
}
