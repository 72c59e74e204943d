import Model
import Platform
import Postgres
import TestKit
import Testing

/// What a server refuses, and what the user is told to do about it.
@Suite(.timeLimit(.minutes(5)))
struct RoomRefusalTests {
    private static let fresh = ResumePoint(descriptor: nil, end: nil)

    /// The error of opening a stream; the secret never stands in it.
    private static func refusal(
        _ url: String, resume: ResumePoint = fresh, source: String = "ledger"
    ) throws -> TidemarkError {
        let stream = try RoomHarness(url, source: source).room.stream()
        defer { stream.close() }
        let error = #expect(throws: TidemarkError.self) { try stream.open(resume) }
        let result = try #require(error)
        #expect(!"\(result)".contains("s3cret"))
        return result
    }

    @Test
    func `a wrong password, a role without rights and a missing database are told apart`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start(.init(authentication: .password("right")))
            try server.psql(
                "CREATE ROLE plain LOGIN PASSWORD 's3cret'; CREATE ROLE bar NOLOGIN PASSWORD 's3cret'"
            )
            let wrong = try Self.refusal(server.url(password: "s3cret-wrong"))
            #expect(wrong.code == .sourceRefused)
            #expect(wrong.message.hasSuffix("refused the password of postgres"))
            #expect(wrong.remedy.contains("ALTER ROLE postgres PASSWORD"))
            let missing = try Self.refusal(
                "postgresql://postgres@127.0.0.1:\(server.port)/postgres?passfile=/nowhere")
            #expect(missing.message.contains("wants a password"))
            let plain = try Self.refusal(server.url(user: "plain", password: "s3cret"))
            #expect(plain.code == .sourceRefused)
            #expect(plain.remedy == "ALTER ROLE plain REPLICATION")
            let noLogin = try Self.refusal(server.url(user: "bar", password: "s3cret"))
            #expect(noLogin.remedy.contains("LOGIN REPLICATION"))
            let inspector = try RoomHarness(server.url(database: "nosuch")).room.inspector()
            defer { inspector.close() }
            // A replication connection needs no database; proofs go on without SQL.
            let probe = try inspector.probe()
            #expect(probe.sourceTime == nil)
            let findings = try inspector.check()
            #expect(findings.contains { $0.message.contains("has no database nosuch") })
        }
    }

    @Test
    func `a missing line in pg_hba conf is named as the line to add`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            try server.setHBA(["host all all 127.0.0.1/32 trust", "local all all trust"])
            try server.reload()
            let error = try Self.refusal(server.url())
            #expect(error.code == .sourceRefused)
            #expect(
                error.remedy.hasSuffix("host replication postgres 127.0.0.1/32 scram-sha-256"),
                "\(error.remedy)")
            let findings = try RoomHarness(server).room.inspector().check()
            #expect(findings.first?.level == .error)
            #expect(findings.first?.remedy == error.remedy)
        }
    }

    @Test
    func `wal_level minimal, no free sender and no free slot each have their remedy`() async throws
    {
        try await offPool {
            let server = try PostgresServer.start(
                .init(settings: ["wal_level = minimal", "max_wal_senders = 0"]))
            let minimal = try Self.refusal(server.url())
            #expect(minimal.code == .sourceRefused)
            #expect(minimal.remedy.contains("wal_level = 'replica'"))
            let findings = try RoomHarness(server).room.inspector().check()
            #expect(findings.contains { $0.level == .error && $0.message.contains("wal_level") })
            try server.appendSettings([
                "wal_level = replica", "max_wal_senders = 1", "max_replication_slots = 1",
            ])
            try server.restart()
            let holder = try RoomHarness(server).room.stream()
            _ = try holder.open(Self.fresh)
            let senders = try Self.refusal(server.url(), source: "other")
            #expect(senders.code.isRetryable)
            #expect(senders.message.contains("all 1 WAL senders"))
            #expect(senders.remedy.contains("ALTER SYSTEM SET max_wal_senders = 6"))
            holder.close()
            // The slot stays, and there is only one.
            try eventually("the sender has gone") {
                try server.psql("SELECT count(*) FROM pg_stat_replication") == "0"
            }
            let slots = try Self.refusal(server.url(), source: "other")
            #expect(slots.code == .sourceRefused)
            #expect(slots.message.contains("no free replication slot for tidemark_other"))
            #expect(slots.remedy.contains("pg_drop_replication_slot"))
            #expect(slots.remedy.contains("raise max_replication_slots"))
        }
    }

    @Test
    func `a slot in use names the process, and a logical slot is not touched`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["wal_level = logical"]))
            let holder = try RoomHarness(server).room.stream()
            defer { holder.close() }
            _ = try holder.open(Self.fresh)
            let process = try server.psql("SELECT active_pid FROM pg_replication_slots")
            let error = try Self.refusal(server.url())
            #expect(error.code == .sourceUnreachable)
            #expect(error.message.contains("in use by process \(process)"))
            #expect(error.remedy.contains("pg_terminate_backend(\(process))"))
            try server.psql(
                "SELECT pg_create_logical_replication_slot('tidemark_logic', 'test_decoding')")
            let logical = try Self.refusal(server.url(), source: "logic")
            #expect(logical.code == .sourceRefused)
            #expect(logical.message.contains("logical"))
        }
    }

    @Test
    func `a server that is not there, a standby and another cluster are refused`() async throws {
        try await offPool {
            let absent = try Self.refusal("postgresql://postgres@127.0.0.1:\(freePort())/postgres")
            #expect(absent.code == .sourceUnreachable)
            #expect(absent.remedy.contains("start the server"))
            let server = try PostgresServer.start()
            let standby = try server.makeStandby()
            let recovering = try Self.refusal(standby.url())
            #expect(recovering.code == .sourceRefused)
            #expect(recovering.remedy.contains("target_session_attrs=read-write"))
            #expect(throws: TidemarkError.self) {
                try RoomHarness(standby).room.inspector().probe()
            }
            // Both hosts together lead to the primary, whatever their order.
            let both =
                "postgresql://postgres@127.0.0.1:\(standby.port),127.0.0.1:\(server.port)/postgres"
                + "?target_session_attrs=read-write"
            let stream = try RoomHarness(both).room.stream()
            defer { stream.close() }
            let opening = try stream.open(Self.fresh)
            var other = opening.descriptor
            other.identity = "42"
            let changed = try Self.refusal(
                server.url(), resume: ResumePoint(descriptor: other, end: nil))
            #expect(changed.code == .sourceIdentityChanged)
            #expect(changed.message.contains(opening.descriptor.identity))
            #expect(changed.message.contains("42"))
        }
    }

    @Test
    func `a server that lost WAL it had sent is refused, and so is an old primary`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let stream = try RoomHarness(server).room.stream()
            let opening = try stream.open(Self.fresh)
            stream.close()
            let ahead = Position(timeline: TimelineID("1"), ordinal: 0x7_0000_0000)
            let lost = try Self.refusal(
                server.url(), resume: ResumePoint(descriptor: opening.descriptor, end: ahead))
            #expect(lost.code == .sourceIdentityChanged)
            #expect(lost.message.contains("it lost WAL"))
            let later = Position(timeline: TimelineID("2"), ordinal: opening.sourceEnd)
            let old = try Self.refusal(
                server.url(), resume: ResumePoint(descriptor: opening.descriptor, end: later))
            #expect(old.code == .sourceIdentityChanged)
            #expect(old.message.contains("old primary"))
        }
    }
}
