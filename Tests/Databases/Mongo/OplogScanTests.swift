import Model
import TestKit
import Testing

@testable import Mongo

/// Reading archived entries: framing, stops, events.
@Suite struct OplogScanTests {
    private func shop() throws -> [[UInt8]] { try MongoFixture("shop").oplog() }

    private func head(_ entry: [UInt8]) throws -> EntryHead { try EntryHead(entry.span) }

    @Test func `entries are whole, however the bytes are cut`() async throws {
        try await offPool {
            let entries = Array(try shop().prefix(40))
            let bytes = entries.flatMap { $0 }
            for piece in [1, 2, 3, 7, 64, 333, 5000, bytes.count] {
                var framer = EntryFramer()
                var found: [[UInt8]] = []
                var offset = 0
                while offset < bytes.count {
                    let part = Array(bytes[offset..<min(bytes.count, offset + piece)])
                    try framer.take(part.span) { (entry) throws(TidemarkError) in
                        found.append(entry.array)
                    }
                    offset += piece
                }
                #expect(found == entries, "in pieces of \(piece)")
                #expect(framer.pending == 0)
            }
        }
    }

    @Test func `a length that cannot be is refused at once`() {
        var framer = EntryFramer()
        let bytes: [UInt8] = [255, 255, 255, 127, 0, 0]
        let error = #expect(throws: TidemarkError.self) {
            try framer.take(bytes.span) { (_) throws(TidemarkError) in }
        }
        #expect(error?.code == .archiveDamaged)
    }

    @Test func `a time stops behind the last entry that is not later`() async throws {
        try await offPool {
            let entries = try shop()
            let heads = try entries.map(head)
            let bytes = entries.flatMap { $0 }
            for place in stride(from: 5, to: entries.count, by: 41) {
                let time = CommitTime(milliseconds: heads[place].wall!)
                let search = OplogStopSearch(.time(time))
                let answer = try search.take(bytes.span.bytes, at: 0) ?? search.finish()
                let last = heads.lastIndex { $0.wall! <= heads[place].wall! }!
                let stop = RecoveryStop(
                    last: heads[last].ts.ordinal, end: heads[last].ts.ordinal,
                    time: CommitTime(milliseconds: heads[last].wall!))
                let isLast = last == entries.count - 1
                #expect(answer == (isLast ? .absent(last: stop) : .stop(stop)))
            }
            // Nothing came between the place where the history begins and a later time.
            let early = OplogStopSearch(.time(CommitTime(microseconds: 0)))
            let begin = RecoveryStop(last: 7, end: 7, time: nil)
            #expect(try early.take(bytes.span.bytes, at: 7) == .stop(begin))
        }
    }

    @Test func `a position stops behind the last entry at or before it`() async throws {
        try await offPool {
            let entries = try shop()
            let third = try head(entries[3]).ts.ordinal
            let bytes = entries.flatMap { $0 }
            for end in [third, third + 0] {
                let search = OplogStopSearch(.position(end))
                let answer = try search.take(bytes.span.bytes, at: 0)
                guard case .stop(let stop) = answer else {
                    Issue.record("no stop at \(end)")
                    continue
                }
                #expect(stop.end == third)
            }
        }
    }

    @Test func `what took much away is found, with the place before it`() async throws {
        try await offPool {
            let entries = try shop()
            let scan = OplogEventScan(TimelineID("rs"))
            var found: [DestructiveEvent] = []
            let all = entries.flatMap { $0 }
            try scan.take(all.span.bytes, at: 0) { (event) throws(TidemarkError) in
                found.append(event)
            }
            let drop = try #require(found.last { $0.action == "drop" })
            #expect(drop.place == "shop.orders")
            let place = try #require(
                try entries.firstIndex { try head($0).ts.ordinal > drop.before.ordinal })
            let entry = try OplogEntry(entries[place])
            guard case .command(_, .drop(let name)) = entry.change else {
                Issue.record("the entry behind the place is no drop")
                return
            }
            #expect(name == "orders")
            // That of a database begins with those of its collections: before them it is whole.
            let whole = try #require(found.first { $0.action == "dropDatabase" })
            let parts = found.filter { $0.action == "drop" && $0.place.hasPrefix("gone.") }
            #expect(whole.place == "gone" && !parts.isEmpty)
            #expect(parts.first?.before == whole.before, "\(parts) \(whole)")
            #expect(!found.contains { $0.place.contains("tmp") })
        }
    }

    @Test func `every recorded entry is understood`() async throws {
        try await offPool {
            for name in ["shop", "fuzzy"] {
                for bytes in try MongoFixture(name).oplog() {
                    let entry = try OplogEntry(bytes)
                    switch entry.change {
                    case .unknown(let op): Issue.record("op \(op)")
                    case .command(_, .unknown(let command)): Issue.record("command \(command)")
                    default: break
                    }
                    #expect(try head(bytes).ts == entry.ts)
                    #expect(try head(bytes).term == entry.term)
                }
            }
        }
    }
}
