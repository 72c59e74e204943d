import Model
import Platform
import Redis
import Repository
import Segments
import Storage
import TestKit
import Testing

/// How finely the archive knows the times of a stream that carries none.
@Suite(.timeLimit(.minutes(4)))
struct TimeIndexTests {
    private static let mostBytes: UInt64 = 64 << 10
    private static let mostMicroseconds: Int64 = 250_000

    @Test func `places are at most 64 KB apart under load, and 250 ms wide in slow traffic`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start(["client-output-buffer-limit replica 0 0 0"])
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let began = try server.offset()
            let value = String(repeating: "v", count: 1500)
            for round in 0..<4 {
                try server.pipe(
                    (0..<6000).flatMap { resp(["SET", "k\(round)-\($0)", value]) })
            }
            let loaded = try server.offset()
            var slow: [(offset: UInt64, before: CommitTime, after: CommitTime)] = []
            for number in 0..<20 {
                let offset = try server.offset()
                let before = try harness.moment()
                try server.command("SET", "slow", "\(number)")
                slow.append((offset, before, try harness.moment()))
                harness.pause(0.12)
            }
            let end = try server.offset()
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)

            let stretches = try stretches(harness)
            try #require(stretches.count > 100)
            for (one, next) in zip(stretches, stretches.dropFirst())
            where one.position >= began && next.position <= loaded {
                let distance = next.position - one.position
                #expect(distance <= Self.mostBytes, "\(distance) bytes from \(one) to \(next)")
            }
            #expect(try #require(stretches.first).position < began + Self.mostBytes)
            #expect(try #require(stretches.last).position < end)
            for stretch in stretches {
                #expect(
                    stretch.latest.microseconds - stretch.earliest.microseconds
                        <= Self.mostMicroseconds, "at \(stretch.position)")
            }
            for write in slow {
                let stretch = try #require(stretches.last { $0.position <= write.offset })
                // By the source's clock, as measured: it came no later than a quarter of a second
                // after it was made, and was not taken for older.
                #expect(
                    stretch.latest.microseconds - write.after.microseconds
                        <= Self.mostMicroseconds, "at \(write.offset)")
                #expect(
                    write.before.microseconds - stretch.latest.microseconds
                        <= Self.mostMicroseconds, "at \(write.offset)")
            }
        }
    }

    /// The index of the whole archive: the footers of sealed segments, the open one's notes.
    private func stretches(_ harness: ArchiveHarness) throws -> [TimeIndexEntry] {
        let repository = ArchiveRepository(
            try FolderURL("file://" + harness.archive).open(createRoot: false))
        let listing = try repository.stream(SourceID("sessions")!, OffsetPositionStyle())
        let segments = try #require(listing.segments.values.first)
        #expect(segments.contains { $0.state == .sealed })
        return try segments.flatMap { segment -> [TimeIndexEntry] in
            if segment.state == .open {
                return try SegmentReader.survey(
                    repository.store, segment.key, first: segment.range.first, bytes: 0
                ).index.stretches
            }
            let reader = try SegmentReader(repository.store, segment.key)
            defer { reader.close() }
            return try #require(reader.descriptor).index
        }
    }
}
