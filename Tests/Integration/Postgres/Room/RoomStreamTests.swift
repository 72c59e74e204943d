import Model
import Platform
import Postgres
import TestKit
import Testing

@Suite(.timeLimit(.minutes(3)))
struct RoomStreamTests {
    @Test(arguments: OtherServers.postgresMajors + [15])
    func `all WAL of a workload with switches and a restart arrives as it is on the server's disk`(
        major: Int
    ) async throws {
        try await offPool {
            let bin = major == 15 ? PostgresTools.bin : OtherServers.postgres(major)
            let server = try PostgresServer.start(
                .init(settings: ["wal_keep_size = 512MB"], bin: bin))
            let harness = try RoomHarness(server)
            let stream = harness.room.stream()
            defer { stream.close() }
            let sink = RecordingSink()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            sink.begin(opening.start)
            #expect(opening.descriptor.majorVersion == "\(major)")
            #expect(opening.start.ordinal % (16 << 20) == 0)
            try server.psql(
                """
                CREATE TABLE t (i int, s text);
                INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 40000) i;
                SELECT pg_switch_wal();
                INSERT INTO t VALUES (0, 'after the switch');
                SELECT pg_create_restore_point('here');
                """)
            try harness.pull(stream, into: sink, to: server.settle())
            let stopping = DedicatedThread("stop") { () throws(TidemarkError) in
                try server.stop(.fast, seconds: 10)
            }
            let last = try harness.pull(stream, into: sink) { $0 == .finished }
            #expect(last == .finished)
            try stopping.join()
            #expect(throws: TidemarkError.self) {
                try stream.pull(until: harness.time.monotonic(), into: sink)
            }
            try server.start()
            let again = try stream.open(
                ResumePoint(
                    descriptor: opening.descriptor,
                    end: Position(timeline: sink.timeline, ordinal: sink.end)))
            sink.begin(again.start)
            #expect(again.start.ordinal <= sink.end)
            try server.psql("UPDATE t SET s = 'y' WHERE i < 1000")
            try harness.pull(stream, into: sink, to: server.settle())
            #expect(try server.expectSameWal(sink) >= 3)
            #expect(sink.entries.contains { $0.event == .restorePoint(name: "here") })
            #expect(sink.entries.count > 5)
        }
    }
}
