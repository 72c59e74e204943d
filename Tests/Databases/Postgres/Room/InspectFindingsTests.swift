import Model
@testable import Postgres
import Testing

/// Each missing setting or privilege is found, and only then.
@Suite struct InspectFindingsTests {
    /// A server on which nothing is wrong.
    private static func sound() -> InspectFacts {
        var facts = InspectFacts()
        facts.version = 150_020
        facts.mayReplicate = true
        facts.mayReadSettings = true
        facts.mayReadFiles = true
        facts.mayMark = true
        facts.outsideFiles = ["/etc/pg_hba.conf"]
        facts.slot = .init(
            type: "physical", process: 7, holds: true, status: "reserved", safeBytes: 1 << 30)
        facts.settings = [
            "wal_level": "replica", "max_wal_senders": "10", "max_replication_slots": "10",
            "max_slot_wal_keep_size": "1024", "archive_mode": "off", "fsync": "on",
            "full_page_writes": "on", "data_checksums": "on", "synchronous_standby_names": "",
            "wal_sender_timeout": "60000", "shared_preload_libraries": "",
        ]
        return facts
    }

    private static func findings(_ change: (inout InspectFacts) -> Void) throws -> [Finding] {
        var facts = sound()
        change(&facts)
        let configuration = try PostgresConfiguration(
            source: SourceID("x")!, url: "postgresql://tide@db/app")
        return InspectFindings(facts: facts, configuration: configuration).all
            .filter { $0.level != .ok }
    }

    @Test func `nothing is wrong with a sound server`() throws {
        #expect(try Self.findings { _ in } == [])
    }

    @Test func `everything that stops archiving is an error`() throws {
        let changes: [(String, (inout InspectFacts) -> Void)] = [
            ("wal_level = 'replica'", { $0.settings["wal_level"] = "minimal" }),
            ("ALTER ROLE tide REPLICATION", { $0.mayReplicate = false }),
            ("max_wal_senders = 15", { $0.otherSenders = 10 }),
            (
                "max_replication_slots = 15",
                {
                    $0.slot = nil
                    $0.otherSlots = 10
                }
            ),
            ("pg_drop_replication_slot('tidemark_x')", { $0.slot?.type = "logical" }),
        ]
        for (remedy, change) in changes {
            let found = try Self.findings(change)
            #expect(found.count == 1)
            #expect(found.first?.level == .error)
            #expect(found.first?.remedy.contains(remedy) == true, "\(found)")
        }
    }

    @Test func `everything that is a risk is a warning with its statement`() throws {
        let changes: [(String, (inout InspectFacts) -> Void)] = [
            ("upgrade Tidemark", { $0.version = 190_000 }),
            ("max_wal_senders = 13", { $0.otherSenders = 8 }),
            ("makes the slot anew", { $0.slot?.status = "lost" }),
            ("start `tidemark run`", { $0.slot?.status = "unreserved" }),
            ("max_slot_wal_keep_size = '64GB'", { $0.settings["max_slot_wal_keep_size"] = "-1" }),
            (
                "idle_replication_slot_timeout = 0",
                { $0.settings["idle_replication_slot_timeout"] = "60" }
            ),
            ("'ANY 1 (\"tidemark\"", { $0.settings["synchronous_standby_names"] = "tidemark" }),
            ("archive_mode = 'off'", { $0.settings["archive_mode"] = "on" }),
            ("wal_sender_timeout = '60s'", { $0.settings["wal_sender_timeout"] = "0" }),
            ("wal_sender_timeout = '60s'", { $0.settings["wal_sender_timeout"] = "5000" }),
            ("fsync = 'on'", { $0.settings["fsync"] = "off" }),
            ("full_page_writes = 'on'", { $0.settings["full_page_writes"] = "off" }),
            ("pg_checksums --enable", { $0.settings["data_checksums"] = "off" }),
            ("pg_create_restore_point(text) TO tide", { $0.mayMark = false }),
            ("GRANT pg_monitor TO tide", { $0.mayReadSettings = false }),
            ("GRANT pg_read_server_files TO tide", { $0.mayReadFiles = false }),
            ("'timescaledb'", { $0.timescale = "2.17.2" }),
        ]
        for (remedy, change) in changes {
            let found = try Self.findings(change)
            #expect(found.count == 1, "\(remedy): \(found)")
            #expect(found.first?.level == .warning)
            #expect(found.first?.remedy.contains(remedy) == true, "\(found)")
        }
    }

    @Test func `an archive_command is never shown`() throws {
        var facts = Self.sound()
        facts.settings["archive_mode"] = "on"
        facts.settings["archive_command"] = "push --key s3cret %p"
        let configuration = try PostgresConfiguration(
            source: SourceID("x")!, url: "postgresql://tide@db/app")
        let all = InspectFindings(facts: facts, configuration: configuration).all
        #expect(all.allSatisfy { $0.level == .ok })
        #expect(!"\(all)".contains("s3cret"))
    }

    @Test func `answers are read in the order of the questions`() {
        let sets = [
            ConnectionRows([["wal_level", "logical"], ["archive_library", nil]]),
            ConnectionRows([["f", "t", "f", "f", "t"]]), ConnectionRows([["2", "3"]]),
            ConnectionRows([["physical", "42", "t", "extended", "-5"]]), ConnectionRows([]),
        ]
        let facts = InspectFacts(version: 150_020, sets)
        #expect(facts?.settings["wal_level"] == "logical")
        #expect(facts?.mayReplicate == true)
        #expect(facts?.mayMark == true)
        #expect(facts?.otherSenders == 2)
        #expect(facts?.otherSlots == 3)
        #expect(facts?.slot?.process == 42)
        #expect(facts?.slot?.safeBytes == -5)
        #expect(facts?.timescale == nil)
        #expect(InspectFacts(version: 150_020, []) == nil)
    }
}
