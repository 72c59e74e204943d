import Model
import Platform
import Postgres
import TestKit
import Testing

/// Following a server over promotions, lost slots, odd segment sizes, TLS, and as its standby.
@Suite(.timeLimit(.minutes(5)))
struct RoomFollowTests {
    private static let fresh = ResumePoint(descriptor: nil, end: nil)

    @Test(arguments: [1, 64])
    func `segments of other sizes arrive whole`(mebibytes: Int) async throws {
        try await offPool {
            let server = try PostgresServer.start(
                .init(settings: ["wal_keep_size = 256MB"], segmentMebibytes: mebibytes))
            let harness = try RoomHarness(server)
            let stream = harness.room.stream()
            defer { stream.close() }
            let sink = RecordingSink()
            let opening = try stream.open(Self.fresh)
            #expect(opening.descriptor.segmentBytes == UInt64(mebibytes) << 20)
            sink.begin(opening.start)
            try server.psql(
                "CREATE TABLE t AS SELECT i, repeat('x', 90) FROM generate_series(1, 30000) i")
            try harness.pull(stream, into: sink, to: server.settle())
            #expect(try server.expectSameWal(sink) >= 1)
        }
    }

    @Test
    func `a synchronous commit waits for one turn, at every level`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let harness = try RoomHarness(server)
            let stream = harness.room.stream()
            defer { stream.close() }
            let sink = RecordingSink()
            sink.begin(try stream.open(Self.fresh).start)
            try server.psql("CREATE TABLE t (i int)")
            try harness.pull(stream, into: sink, to: server.settle())
            try server.appendSettings(["synchronous_standby_names = 'tidemark'"])
            try server.reload()
            let client = DedicatedThread("client") { () throws(TidemarkError) in
                try server.psql(
                    """
                    DO $$ BEGIN FOR i IN 1..50 LOOP INSERT INTO t VALUES (i); COMMIT; END LOOP; END $$;
                    SET synchronous_commit = 'remote_apply'; INSERT INTO t VALUES (1);
                    SET synchronous_commit = 'remote_write'; INSERT INTO t VALUES (2);
                    """, seconds: 20)
            }
            let started = harness.time.monotonic()
            try harness.pull(stream, into: sink, seconds: 25) { _ in
                try client.join(seconds: 0) != nil
            }
            #expect(harness.time.monotonic().seconds(since: started) < 15)
            let inspector = harness.room.inspector()
            defer { inspector.close() }
            #expect(try inspector.probe().isWaitedFor == true)
            #expect(
                try inspector.check().contains { $0.message.contains("all writes stop") })
        }
    }

    @Test
    func `after a promotion the old timeline is finished and the new one followed`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["wal_keep_size = 256MB"]))
            // Its WAL starts where it was copied: the archive has to end behind that.
            let standby = try server.makeStandby()
            let first = try RoomHarness(server)
            let stream = first.room.stream()
            let sink = RecordingSink()
            let opening = try stream.open(Self.fresh)
            sink.begin(opening.start)
            try server.psql("CREATE TABLE t AS SELECT 1 AS i")
            try first.pull(stream, into: sink, to: server.settle())
            stream.close()
            // What we have not archived yet is on the standby as well, on timeline 1.
            try server.psql("INSERT INTO t SELECT generate_series(1, 1000)")
            let end = try server.settle()
            try eventually("the standby has everything") {
                try standby.psql("SELECT pg_last_wal_receive_lsn() >= '\(LSN.text(end))'") == "t"
            }
            try server.stop()
            try standby.promote()
            let second = try RoomHarness(standby)
            let next = second.room.stream()
            defer { next.close() }
            let again = try next.open(
                ResumePoint(
                    descriptor: opening.descriptor,
                    end: Position(timeline: sink.timeline, ordinal: sink.end)))
            #expect(again.start.timeline == TimelineID("1"))
            sink.begin(again.start)
            let turn = try second.pull(next, into: sink) {
                if case .timelineEnded = $0 { true } else { false }
            }
            guard case .timelineEnded(let position) = turn else { return }
            #expect(position.timeline == TimelineID("2"))
            #expect(position.ordinal % (16 << 20) == 0)
            #expect(sink.attachments["00000002.history"] != nil)
            try standby.psql("INSERT INTO t VALUES (7)")
            try second.pull(next, into: sink, to: standby.settle())
            try standby.expectSameWal(sink, timeline: "2")
            let probe = try second.room.inspector().probe()
            #expect(probe.timeline == TimelineID("2"))
            // Sent further on the old timeline than the promoted server knows: a dead branch.
            let beyond = second.room.stream()
            next.close()
            defer { beyond.close() }
            let branch = try beyond.open(
                ResumePoint(
                    descriptor: opening.descriptor,
                    end: Position(timeline: TimelineID("1"), ordinal: position.ordinal + (64 << 20))
                ))
            #expect(branch.start.timeline == TimelineID("2"))
            #expect(branch.start.ordinal == position.ordinal)
        }
    }

    @Test
    func `a lost slot is lost history, and the next attempt starts where the server can`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start(
                .init(
                    settings: [
                        "max_slot_wal_keep_size = 2MB", "max_wal_size = 2MB", "min_wal_size = 2MB",
                    ], segmentMebibytes: 1))
            let harness = try RoomHarness(server)
            let stream = harness.room.stream()
            defer { stream.close() }
            let sink = RecordingSink()
            let opening = try stream.open(Self.fresh)
            sink.begin(opening.start)
            try harness.pull(stream, into: sink, to: server.settle())
            stream.close()
            let inspector = harness.room.inspector()
            defer { inspector.close() }
            let window = try #require(try inspector.sourceWindow())
            #expect(window.kind == "slot")
            #expect(window.headroomBytes.map { $0 > 0 && $0 < 8 << 20 } == true)
            for _ in 0..<8 {
                try server.psql("SELECT pg_logical_emit_message(false, 'x', repeat('x', 900000))")
                try server.psql("SELECT pg_switch_wal(); CHECKPOINT")
            }
            try eventually("the slot is lost") {
                try server.psql("SELECT wal_status FROM pg_replication_slots") == "lost"
            }
            #expect(try inspector.sourceWindow()?.headroomBytes == 0)
            #expect(try inspector.check().contains { $0.message.contains("keeps no WAL") })
            var resume = ResumePoint(
                descriptor: opening.descriptor,
                end: Position(timeline: sink.timeline, ordinal: sink.end))
            let error = #expect(throws: TidemarkError.self) { try stream.open(resume) }
            #expect(error?.code == .historyLost)
            #expect(error?.message.contains(LSN.text(sink.end)) == true)
            resume.skipsLostHistory = true
            let after = try stream.open(resume)
            #expect(after.start.ordinal > sink.end)
            let later = RecordingSink()
            later.begin(after.start)
            try harness.pull(stream, into: later, to: server.settle())
            #expect(try server.expectSameWal(later) >= 1)
        }
    }

    @Test
    func `a slot dropped while away is made again without loss if the WAL is still there`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["wal_keep_size = 256MB"]))
            let harness = try RoomHarness(server)
            let stream = harness.room.stream()
            defer { stream.close() }
            let sink = RecordingSink()
            let opening = try stream.open(Self.fresh)
            sink.begin(opening.start)
            try harness.pull(stream, into: sink, to: server.settle())
            stream.close()
            try eventually("the slot is free") {
                try server.psql("SELECT active FROM pg_replication_slots") == "f"
            }
            try server.psql(
                """
                SELECT pg_drop_replication_slot('tidemark_ledger'); CREATE TABLE t (i int);
                SELECT pg_switch_wal(); INSERT INTO t VALUES (1); CHECKPOINT
                """)
            let again = try stream.open(
                ResumePoint(
                    descriptor: opening.descriptor,
                    end: Position(timeline: sink.timeline, ordinal: sink.end)))
            #expect(again.start.ordinal <= sink.end)
            sink.begin(again.start)
            try harness.pull(stream, into: sink, to: server.settle())
            try server.expectSameWal(sink)
        }
    }

    @Test
    func `bulk and single commits come through TLS without waiting`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["wal_keep_size = 256MB"]))
            try server.run(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-keyout", server.pgData + "/server.key", "-out",
                    server.pgData + "/server.crt",
                ])
            try server.run("/bin/chmod", ["600", server.pgData + "/server.key"])
            try server.appendSettings(["ssl = on"])
            try server.restart()
            let harness = try RoomHarness(server.url() + "?sslmode=require")
            let stream = harness.room.stream()
            defer { stream.close() }
            let sink = RecordingSink()
            sink.begin(try stream.open(Self.fresh).start)
            #expect(try server.psql("SELECT bool_or(ssl) FROM pg_stat_ssl") == "t")
            try server.psql(
                "CREATE TABLE t AS SELECT i, repeat('x', 900) FROM generate_series(1, 30000) i")
            try harness.pull(stream, into: sink, to: server.settle())
            for number in 0..<20 {
                try server.psql(
                    "INSERT INTO t SELECT i, repeat('y', 700) FROM generate_series(1, \(number * 9)) i"
                )
                let started = harness.time.monotonic()
                try harness.pull(stream, into: sink, to: server.settle())
                // Bytes left in TLS's own buffer would wait for the server's next keepalive: 30 s.
                #expect(harness.time.monotonic().seconds(since: started) < 15)
            }
            try server.expectSameWal(sink)
            let verifying = try RoomHarness(server.url() + "?sslmode=verify-full").room.stream()
            let error = #expect(throws: TidemarkError.self) { try verifying.open(Self.fresh) }
            #expect(error?.code == .sourceRefused)
            #expect(error?.remedy.contains("sslrootcert") == true)
        }
    }
}
