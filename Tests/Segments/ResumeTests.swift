import Model
import Platform
import TestKit
import Testing

@testable import Segments

/// Taking up an archive that an earlier run left.
@Suite struct ResumeTests {
    /// An archive of a sealed segment and half an open one.
    private func begun(_ compression: Compression = .lz4) throws -> (MemoryStore, Archive) {
        let store = MemoryStore()
        var archive = Archive(store)
        archive.options.compression = compression
        let writer = try archive.writer()
        try writer.begin(archive.opening(0))
        try archive.play(writer, to: 1_500_000)
        try writer.flush()
        try writer.settle()
        writer.close()
        return (store, archive)
    }

    @Test(arguments: Compression.allCases, [0, 1 << 20] as [UInt64])
    func `bytes sent again are compared, then the segment goes on`(
        _ compression: Compression, _ start: UInt64
    ) async throws {
        try await offPool {
            let (store, archive) = try begun(compression)
            let before = store.keys
            let writer = try archive.writer()
            #expect(try writer.begin(archive.opening(start)) == 1_500_000)
            #expect(try writer.poll() == start)
            try archive.play(writer, to: start + 300_001, pieces: 7777, since: start)
            #expect(try writer.poll() == start + 300_001)
            #expect(try writer.flush() == start + 300_001)
            #expect(store.keys == before)
            try archive.play(writer, to: 3_000_000, pieces: 77_777, since: start)
            try writer.flush()
            try writer.settle()
            writer.close()
            try archive.checkEverything(to: 3_000_000)
        }
    }

    @Test func `a changed setting does not mix compressions within a segment`() async throws {
        try await offPool {
            let (store, before) = try begun(.gzip)
            var archive = before
            archive.options.compression = .lz4
            let writer = try archive.writer()
            try writer.begin(archive.opening(1 << 20))
            try archive.play(writer, to: 3 << 20, since: 1 << 20)
            try writer.flush()
            try writer.settle()
            writer.close()
            try archive.checkEverything(to: 3 << 20)
            let suffixes = store.keys.map { $0.name.split(separator: ".").last }
            #expect(suffixes == ["gz", "gz", "lz4"])
        }
    }

    @Test(arguments: [5, 1_048_575, 1_048_576, 1_499_999] as [UInt64])
    func `other bytes in the same place are an error that names both`(
        _ place: UInt64
    ) async throws {
        try await offPool {
            let (store, archive) = try begun()
            let before = store.keys.map { store.bytes($0) }
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            let error = #expect(throws: TidemarkError.self) {
                while writer.received < 1_500_000 {
                    let first = writer.received
                    var bytes = archive.history.bytes(first, first + 50_000)
                    if (first..<first + 50_000).contains(place) { bytes[Int(place - first)] ^= 1 }
                    try writer.append(bytes.span.bytes, at: first)
                }
            }
            #expect(error?.code == .contentConflict)
            let file = place < 1 << 20 ? "00000.lz4" : "1048576.partial"
            for part in ["at \(place)", file, "ledger"] {
                #expect(error?.message.contains(part) == true, "\(part) in \(error!)")
            }
            #expect(throws: TidemarkError.self) { try writer.flush() }
            writer.close()
            #expect(store.keys.map { store.bytes($0) } == before)
        }
    }

    @Test func `a sealed segment with the same content makes the open one superfluous`()
        async throws
    {
        try await offPool {
            let (store, archive) = try begun()
            let twin = MemoryStore()
            var other = Archive(twin)
            other.options.compression = .gzip
            let writer = try other.writer()
            try writer.begin(other.opening(1 << 20))
            try other.play(writer, to: 2 << 20)
            try writer.flush()
            try writer.settle()
            writer.close()
            let sealed = try #require(twin.keys.first)
            try store.put(sealed, try #require(twin.bytes(sealed)), .create)
            let resumed = try archive.writer()
            #expect(try resumed.begin(archive.opening(1 << 20)) == 2 << 20)
            #expect(store.keys.allSatisfy { !$0.name.hasSuffix(".partial") })
            resumed.close()
            #expect(try archive.end() == 2 << 20)
        }
    }

    @Test func `a guest writes its own segment and leaves everybody else's open one alone`()
        async throws
    {
        try await offPool {
            let (store, before) = try begun()
            var archive = before
            let open = try #require(store.keys.first { $0.name.hasSuffix(".partial") })
            let content = store.bytes(open)
            archive.options.isGuest = true
            let guest = try archive.writer()
            #expect(try guest.begin(archive.opening(2 << 20)) == 2 << 20)
            try archive.play(guest, to: 3 << 20)
            try guest.flush()
            try guest.settle()
            guest.close()
            #expect(store.bytes(open) == content)
            #expect(store.keys.count == 3)
        }
    }

    @Test func `a sealed segment with other content is a conflict at begin and at sealing`()
        async throws
    {
        try await offPool {
            let (store, archive) = try begun()
            let twin = MemoryStore()
            var other = Archive(twin)
            other.history.spacing = 900
            let writer = try other.writer()
            try writer.begin(other.opening(1 << 20))
            var bytes = other.history.bytes(1 << 20, 2 << 20)
            bytes[99] ^= 1
            try writer.append(bytes.span.bytes, at: 1 << 20)
            try writer.flush()
            try writer.settle()
            writer.close()
            let sealed = try #require(twin.keys.first)
            let foreign = try #require(twin.bytes(sealed))

            let late = try archive.writer()
            try late.begin(archive.opening(1 << 20))
            try store.put(sealed, foreign, .create)
            let atSealing = #expect(throws: TidemarkError.self) {
                try archive.play(late, to: 2 << 20, since: 1 << 20)
                try late.flush()
                try late.settle()
            }
            late.close()
            let atBegin = #expect(throws: TidemarkError.self) {
                let writer = try archive.writer()
                defer { writer.close() }
                try writer.begin(archive.opening(1 << 20))
            }
            for error in [atSealing, atBegin] {
                #expect(error?.code == .contentConflict)
                #expect(error?.message.contains("at \((1 << 20) + 99)") == true, "\(error!)")
            }
            #expect(store.bytes(sealed) == foreign)
        }
    }

    @Test func `an incomplete segment before a gap stays as it is`() async throws {
        try await offPool {
            let (store, archive) = try begun()
            let open = try #require(archive.stored().last?.key)
            let before = store.bytes(open)
            let writer = try archive.writer()
            #expect(try writer.begin(archive.opening(8 << 20)) == 8 << 20)
            try archive.play(writer, to: 9 << 20, since: 8 << 20)
            try writer.flush()
            try writer.settle()
            writer.close()
            #expect(store.bytes(open) == before)
            let sealed = try #require(archive.stored().last)
            let reader = try SegmentReader(store, sealed.key)
            #expect(reader.descriptor?.previousSHA256 == nil && sealed.range.last == 9 << 20)
        }
    }

    @Test func `a start in the middle of a segment is refused`() async throws {
        try await offPool {
            let archive = Archive(MemoryStore())
            let writer = try archive.writer()
            #expect(throws: TidemarkError.self) { try writer.begin(archive.opening(5)) }
            writer.close()
        }
    }

    @Test func `two writers cannot hold one open segment`() async throws {
        try await offPool {
            let (_, archive) = try begun()
            let writer = try archive.writer()
            try writer.begin(archive.opening(1 << 20))
            let second = try archive.writer()
            #expect(throws: TidemarkError.self) { try second.begin(archive.opening(1 << 20)) }
            second.close()
            writer.close()
        }
    }

    @Test func `commits of an open segment are known without reading its content as WAL`()
        async throws
    {
        try await offPool {
            let (store, archive) = try begun()
            let open = try #require(archive.stored().last)
            let survey = try SegmentReader.survey(
                store, open.key, first: open.range.first, bytes: 1 << 20)
            let commits = archive.history.commits(1 << 20, 1_500_000)
            #expect(survey.contentBytes == 1_500_000 - (1 << 20))
            #expect(survey.index.firstCommit == commits.map(\.time).min())
            #expect(survey.index.lastCommit == commits.map(\.time).max())
        }
    }
}
