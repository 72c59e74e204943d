import Model
import Platform
import Postgres
import TestKit
import Testing

/// Proofs, findings and marks against a real server.
@Suite(.timeLimit(.minutes(5)))
struct RoomInspectTests {
    private static let fresh = ResumePoint(descriptor: nil, end: nil)

    @Test
    func `an idle server is proved, also just after a segment switch`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let harness = try RoomHarness(server)
            let stream = harness.room.stream()
            defer { stream.close() }
            let sink = RecordingSink()
            let opening = try stream.open(Self.fresh)
            sink.begin(opening.start)
            let inspector = harness.room.inspector()
            defer { inspector.close() }
            for statement in ["SELECT 1", "CREATE TABLE t (i int)", "SELECT pg_switch_wal()"] {
                try server.psql(statement)
                try server.psql("CHECKPOINT; SELECT pg_switch_wal()")
                let probe = try inspector.probe()
                #expect(probe.bound % 8192 != 24 && probe.bound % 8192 != 40)
                try harness.pull(stream, into: sink, to: probe.bound, seconds: 5)
                // Nothing more was written: nothing more is asked for, and time goes on.
                let later = try inspector.probe()
                #expect(later.bound == probe.bound)
                #expect(later.sourceTime! > probe.sourceTime!)
                #expect(later.identity == opening.descriptor.identity)
                #expect(later.flushed! <= later.bound)
            }
        }
    }

    @Test
    func `WAL of an open transaction is not waited for, and a commit is`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["wal_writer_delay = 10s"]))
            try server.psql("CREATE TABLE t (i int)")
            let inspector = try RoomHarness(server).room.inspector()
            defer { inspector.close() }
            let before = try inspector.probe()
            let open = DedicatedThread("open") { () throws(TidemarkError) in
                try server.psql("BEGIN; INSERT INTO t VALUES (1); SELECT pg_sleep(3); ROLLBACK")
            }
            try eventually("the open transaction has written") {
                try server.psql(
                    "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL") != "0"
            }
            let during = try inspector.probe()
            #expect(during.bound == before.bound)
            // Acknowledged without having been flushed: the bound has to cover it.
            try server.psql("SET synchronous_commit = off; INSERT INTO t VALUES (2)")
            let inserted = try #require(
                LSN.parse(server.psql("SELECT pg_current_wal_insert_lsn()")))
            let after = try inspector.probe()
            #expect(after.bound > before.bound)
            #expect(after.bound >= inserted - 256)
            _ = try open.join()
        }
    }

    @Test
    func `a prepared transaction is acknowledged, so the bound covers it`() async throws {
        try await offPool {
            let server = try PostgresServer.start(
                .init(settings: ["max_prepared_transactions = 5", "autovacuum = off"]))
            try server.psql("CREATE TABLE t (i int)")
            let inspector = try RoomHarness(server).room.inspector()
            defer { inspector.close() }
            let before = try inspector.probe()
            try server.psql("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'gx'")
            let flushed = try #require(
                LSN.parse(server.psql("SELECT pg_current_wal_flush_lsn()")))
            let after = try inspector.probe()
            #expect(after.bound > before.bound)
            #expect(after.bound >= flushed)
            #expect(try inspector.probe().bound == after.bound)
        }
    }

    @Test
    func `on a busy server no commit seen before a probe lies beyond its bound`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql("CREATE TABLE t (i int); CREATE TABLE enough (i int)")
            // Busy for as long as the checks take, however fast this machine is.
            let load = DedicatedThread("load") { () throws(TidemarkError) in
                try server.psql(
                    """
                    DO $$ BEGIN
                        FOR i IN 1..10000000 LOOP
                            INSERT INTO t VALUES (i); COMMIT;
                            EXIT WHEN EXISTS (SELECT FROM enough);
                        END LOOP;
                    END $$
                    """)
            }
            let inspector = try RoomHarness(server).room.inspector()
            defer { inspector.close() }
            for _ in 0..<40 {
                // The commit's record begins here or later, and the client has been answered.
                let text = try server.psql(
                    "BEGIN; INSERT INTO t VALUES (0); SELECT pg_current_wal_insert_lsn(); COMMIT")
                let commit = try #require(LSN.parse(text))
                #expect(try inspector.probe().bound > commit)
            }
            #expect(try load.join(seconds: 0) == nil, "the server was busy to the end")
            try server.psql("INSERT INTO enough VALUES (1)")
            _ = try load.join()
        }
    }

    @Test
    func `a mark names the start and end of its record`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(segmentMebibytes: 1))
            let harness = try RoomHarness(server)
            let stream = harness.room.stream()
            defer { stream.close() }
            let sink = RecordingSink()
            sink.begin(try stream.open(Self.fresh).start)
            let inspector = harness.room.inspector()
            defer { inspector.close() }
            var points: [RestorePoint] = []
            // Odd amounts before each, so that records cross page and segment boundaries.
            for number in 0..<60 {
                try server.psql(
                    "SELECT pg_logical_emit_message(false, '', repeat('x', \(number * 611)))")
                if number % 20 == 0 { try server.psql("SELECT pg_switch_wal()") }
                points.append(try inspector.mark("point \(number)"))
            }
            let probe = try inspector.probe()
            let last = try #require(points.last?.end)
            #expect(probe.bound >= last)
            try harness.pull(stream, into: sink, to: last)
            let found = sink.entries.compactMap { entry -> (String, UInt64)? in
                if case .restorePoint(let name) = entry.event { (name, entry.first) } else { nil }
            }
            #expect(found.count == points.count)
            for (point, entry) in zip(points, found) {
                #expect(point.name == entry.0)
                #expect(point.position == entry.1, "\(point.name)")
            }
            let error = #expect(throws: TidemarkError.self) {
                try inspector.mark(String(repeating: "n", count: 64))
            }
            #expect(error?.code == .usage)
        }
    }

    @Test
    func `a role with the least rights gets proofs, and its missing rights by name`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql("CREATE ROLE tide LOGIN REPLICATION")
            let room = try RoomHarness(server.url(user: "tide")).room
            let inspector = room.inspector()
            defer { inspector.close() }
            #expect(try inspector.probe().sourceTime != nil)
            let findings = try inspector.check()
            #expect(!findings.contains { $0.level == .error }, "\(findings)")
            let remedies = findings.map(\.remedy).joined(separator: "\n")
            #expect(remedies.contains("GRANT pg_monitor TO tide"))
            #expect(remedies.contains("pg_create_restore_point(text) TO tide"))
            let error = #expect(throws: TidemarkError.self) { try inspector.mark("x") }
            #expect(error?.remedy.contains("GRANT EXECUTE") == true)
            // What the remedies say does help.
            try server.psql(
                """
                GRANT pg_monitor TO tide;
                GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO tide
                """)
            let point = try inspector.mark("x")
            #expect(point.timeline == TimelineID("1"))
            let better = try inspector.check().filter { $0.level != .ok }.map(\.message)
            #expect(!better.contains { $0.contains("may not") }, "\(better)")
        }
    }

    @Test
    func `a promoted server is probed on its new timeline at once`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let standby = try server.makeStandby()
            let inspector = try RoomHarness(standby).room.inspector()
            defer { inspector.close() }
            #expect(throws: TidemarkError.self) { try inspector.probe() }
            try standby.promote()
            let fresh = try RoomHarness(standby).room.inspector()
            defer { fresh.close() }
            #expect(try fresh.probe().timeline == TimelineID("2"))
        }
    }
}
