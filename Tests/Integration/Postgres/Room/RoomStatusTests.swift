import Model
import Platform
import Postgres
import TestKit
import Testing

/// What an idle server hears of its stream, by its own `pg_stat_replication.reply_time`.
@Suite(.timeLimit(.minutes(3)))
struct RoomStatusTests {
    /// - Parameters:
    ///   - timeout: `wal_sender_timeout`: the server asks after half of it, and cuts a stream off
    ///     that says nothing for all of it; with 0 it never asks.
    ///   - oldest: What a status message may be old.
    @Test(arguments: [("1s", 4.0, 3, 1.0), ("0", 11.5, 2, 10.7)])
    func `status messages come when asked for, and every ten seconds when not`(
        timeout: String, seconds: Double, least: Int, oldest: Double
    ) async throws {
        try await offPool {
            let server = try PostgresServer.start(
                .init(settings: ["wal_sender_timeout = \(timeout)"]))
            let harness = try RoomHarness(server)
            let stream = harness.room.stream()
            defer { stream.close() }
            let sink = RecordingSink()
            sink.begin(try stream.open(ResumePoint(descriptor: nil, end: nil)).start)
            try harness.pull(stream, into: sink, to: server.settle())
            let end = harness.time.monotonic().advanced(bySeconds: seconds)
            var replies: Set<String> = []
            var ages: [Double] = []
            try harness.pull(stream, into: sink, seconds: seconds + 20) { _ in
                let row = try server.psql(
                    """
                    select reply_time, extract(epoch from clock_timestamp() - reply_time)
                    from pg_stat_replication
                    """
                ).split(separator: "|")
                replies.insert(String(row[0]))
                ages.append(try #require(Double(row[1])))
                return harness.time.monotonic() >= end
            }
            #expect(replies.count >= least, "\(replies)")
            #expect(ages.max()! < oldest, "\(ages)")
            // Never more often than that either.
            #expect(replies.count <= Int(seconds) * 3, "\(replies)")
        }
    }
}
