import Glibc
import Model
import Platform
import Repository
import Segments
import TestKit
import Testing

@testable import Recovery

/// What `wal fetch` makes of an open segment.
@Suite struct `An open segment is delivered` {
    private static let range = PositionRange(
        timeline: TimelineID("1"), first: 0, last: 1 << 20)
    private static let base = ObjectKey("ledger/wal/1/x")
    private static let partial = ObjectKey("ledger/wal/1/x.partial")

    /// Four frames of 1000 bytes.
    private func store() throws -> MemoryStore {
        let store = MemoryStore()
        let frames = Buffer(capacity: 8192)
        let encoder = Compression.lz4.encoder()
        for number: UInt8 in 1...4 {
            let content = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 5) ^ number }
            encoder.encode(content.span.bytes, into: frames)
        }
        try store.put(Self.partial, frames.array, .create)
        return store
    }

    private func deliver(
        _ store: MemoryStore, needed: UInt64, enough: UInt64? = nil
    ) throws -> UInt64? {
        let scratch = try ScratchDirectory()
        let path = scratch.path + "/RECOVERYXLOG"
        defer { #expect(access(path + ".tidemark-\(getpid())", F_OK) != 0) }
        do throws(TidemarkError) {
            let length = try SegmentDelivery(repository: ArchiveRepository(store)).deliverOpen(
                Self.base, Self.range, needed: needed, enough: enough, to: path)
            #expect((access(path, F_OK) == 0) == (length != nil))
            return length
        } catch {
            #expect(error.code == .archiveDamaged)
            #expect(access(path, F_OK) != 0, "a damaged segment was delivered")
            throw error
        }
    }

    private func flip(_ store: MemoryStore, frame: Int) {
        store.corrupt(Self.partial) { $0[$0.count / 4 * frame + 100] ^= 1 }
    }

    @Test func `as far as it goes when that is what was acknowledged`() async throws {
        try await offPool {
            let store = try store()
            #expect(try deliver(store, needed: 4000) == 4000)
            #expect(try deliver(store, needed: 0) == 4000)
            #expect(try deliver(MemoryStore(), needed: 0) == nil)
        }
    }

    @Test func `not at all when it ends before what was acknowledged`() async throws {
        try await offPool {
            let store = try store()
            #expect(throws: TidemarkError.self) { try deliver(store, needed: 4001) }
            flip(store, frame: 3)
            #expect(throws: TidemarkError.self) { try deliver(store, needed: 3001) }
            // The torn end of a crash: nobody was promised anything of it.
            #expect(try deliver(store, needed: 3000) == 3000)
        }
    }

    @Test func `not at all when whole frames follow the damage`() async throws {
        try await offPool {
            let store = try store()
            flip(store, frame: 1)
            #expect(throws: TidemarkError.self) { try deliver(store, needed: 0) }
            let first = try self.store()
            first.corrupt(Self.partial) { $0[0] ^= 1 }
            #expect(throws: TidemarkError.self) { try deliver(first, needed: 0) }
        }
    }

    @Test func `when recovery stops before the damage`() async throws {
        try await offPool {
            let store = try store()
            flip(store, frame: 2)
            for enough: UInt64 in [1, 1999, 2000] {
                #expect(try deliver(store, needed: 4000, enough: enough) == 2000)
            }
            #expect(throws: TidemarkError.self) { try deliver(store, needed: 4000, enough: 2001) }
        }
    }
}
