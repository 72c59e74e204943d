import Model
@testable import Postgres
import Testing

/// The opening conversation on one timeline.
@Suite struct StreamMachineTests {
    private func start(_ place: String, _ timeline: Int = 1) -> String {
        "START_REPLICATION SLOT \"tidemark_ledger\" PHYSICAL \(place) TIMELINE \(timeline)"
    }

    @Test func `a fresh archive makes the slot and starts at its segment`() throws {
        var script = try StreamScript()
        try script.introduce()
        try script.answer("READ_REPLICATION_SLOT", [[nil, nil, nil]])
        try script.reply(
            "CREATE_REPLICATION_SLOT \"tidemark_ledger\" PHYSICAL (RESERVE_WAL)",
            [.rows(ConnectionRows([["tidemark_ledger", "0/0", nil, nil]])), .done("")])
        try script.slot("0/8000028")
        try script.reply(start("0/8000000"), [.copyBoth])
        #expect(script.action == .stream)
        script.machine.running()
        let opening = script.machine.opening(created: CommitTime(microseconds: 5))
        #expect(opening.start == Position(timeline: TimelineID("1"), ordinal: 0x800_0000))
        #expect(opening.descriptor.identity == "77")
        #expect(opening.descriptor.segmentBytes == 16 << 20)
        #expect(opening.sourceEnd == 0x900_0000)
        #expect(opening.serverVersion == "150020")
    }

    @Test func `an answer to a question does not show that the WAL at the start is there`() throws {
        var script = try StreamScript(StreamScript.archive(1, 0x512_3456))
        try script.introduce()
        try script.slot("0/8000028")
        try script.reply(start("0/5000000"), [.copyBoth])
        #expect(script.machine.serverEnd == 0x900_0000)
        #expect(!script.machine.showsStart(keepalive: true))
        #expect(script.machine.showsStart(keepalive: false))
        // Nothing is left to send: no WAL will come, and none is missing.
        script.machine.serverEnd = 0x500_0000
        #expect(script.machine.showsStart(keepalive: true))
    }

    @Test func `an archive goes on at its own end, although the slot is ahead`() throws {
        var script = try StreamScript(StreamScript.archive(1, 0x512_3456))
        try script.introduce()
        try script.slot("0/8000028")
        try script.reply(start("0/5000000"), [.copyBoth])
        #expect(script.action == .stream)
    }

    @Test func `an archive that ends with a segment has the one before it sent again`() throws {
        for end: UInt64 in [0x500_0000, 0x500_1FF8] {
            var script = try StreamScript(StreamScript.archive(1, end))
            try script.introduce()
            try script.slot("0/8000028")
            var running = script
            try running.reply(start("0/4000000"), [.copyBoth])
            running.machine.running()
            #expect(
                running.machine.opening(created: CommitTime(microseconds: 5)).start.ordinal
                    == 0x400_0000)
            // Removed while it is read: not what the archive lacks.
            let error = #expect(throws: TidemarkError.self) {
                _ = try running.machine.handle([
                    .failed(ConnectionFailure(state: "58P01", message: "removed"))
                ])
            }
            #expect(error?.code == .sourceUnreachable)
            // Removed before: the stream starts where it must, before or after the start.
            var late = script
            try script.refuse(start("0/4000000"), "58P01")
            try script.reply(start("0/5000000"), [.copyBoth])
            #expect(script.action == .stream && script.machine.timelineBefore.name == "1")
            try late.reply(start("0/4000000"), [.copyBoth])
            try late.refuse(stream: "58P01")
            let lost = #expect(throws: TidemarkError.self) {
                try late.refuse(start("0/5000000"), "58P01")
            }
            #expect(lost?.code == .historyLost)
        }
        var far = try StreamScript(StreamScript.archive(1, 0x500_2000))
        try far.introduce()
        try far.slot("0/8000028")
        try far.reply(start("0/5000000"), [.copyBoth])
        #expect(far.action == .stream)
    }

    @Test func `removed WAL is lost history that names both ends, before and after the start`()
        throws
    {
        for afterStart in [false, true] {
            var script = try StreamScript(StreamScript.archive(1, 0x512_3456))
            try script.introduce()
            try script.slot("0/8000028")
            if afterStart { try script.reply(start("0/5000000"), [.copyBoth]) }
            let failure = ConnectionFailure(state: "58P01", message: "segment … removed")
            let error = #expect(throws: TidemarkError.self) {
                _ = try script.machine.handle([.failed(failure)])
            }
            #expect(error?.code == .historyLost)
            #expect(error?.message.contains("0/5123456") == true)
            #expect(error?.message.contains("0/8000028") == true)
        }
    }

    @Test func `after lost history the stream starts where the slot does`() throws {
        var script = try StreamScript(StreamScript.archive(1, 0x512_3456, skips: true))
        try script.introduce()
        try script.slot("0/8000028")
        try script.reply(start("0/8000000"), [.copyBoth])
        #expect(script.action == .stream)
    }

    @Test func `a slot that keeps nothing is made anew, and the archive's end tried all the same`()
        throws
    {
        var script = try StreamScript(StreamScript.archive(1, 0x512_3456))
        try script.introduce()
        try script.slot(nil, timeline: nil)
        try script.reply("DROP_REPLICATION_SLOT \"tidemark_ledger\"", [.done("")])
        try script.reply("CREATE_REPLICATION_SLOT", [.done("")])
        try script.slot("0/8000028")
        try script.reply(start("0/5000000"), [.copyBoth])
        #expect(script.action == .stream)
    }

    @Test func `a slot invalidated as 18 says it is made anew once, then it is lost history`()
        throws
    {
        var script = try StreamScript(StreamScript.archive(1, 0x512_3456))
        try script.introduce()
        try script.slot("0/8000028")
        let words = "can no longer access replication slot \"tidemark_ledger\""
        try script.refuse(start("0/5000000"), "55000", words)
        try script.reply("DROP_REPLICATION_SLOT", [.done("")])
        try script.reply("CREATE_REPLICATION_SLOT", [.done("")])
        try script.slot("0/8000028")
        let error = #expect(throws: TidemarkError.self) {
            try script.refuse(start("0/5000000"), "58P01")
        }
        #expect(error?.code == .historyLost)
    }

    @Test func `a fresh archive whose slot points at removed WAL takes a new slot`() throws {
        var script = try StreamScript()
        try script.introduce()
        try script.slot("0/3000028")
        try script.refuse(start("0/3000000"), "58P01")
        try script.reply("DROP_REPLICATION_SLOT", [.done("")])
        try script.reply("CREATE_REPLICATION_SLOT", [.done("")])
        try script.slot("0/8000028")
        try script.reply(start("0/8000000"), [.copyBoth])
        #expect(script.action == .stream)
    }

    @Test func `another cluster, another segment size, an old primary and lost WAL are refused`()
        throws
    {
        let code = { (resume: ResumePoint, timeline: String, end: String, size: String) in
            var script = try StreamScript(resume)
            return #expect(throws: TidemarkError.self) {
                try script.answer("IDENTIFY_SYSTEM", [["77", timeline, end, nil]])
                try script.answer("SHOW in_hot_standby", [["off"]])
                try script.answer("SHOW wal_segment_size", [[size]])
            }?.code
        }
        var foreign = StreamScript.archive(1, 0x500_0000)
        foreign.descriptor?.identity = "78"
        let own = StreamScript.archive(2, 0x500_0000)
        #expect(try code(foreign, "1", "0/9000000", "16MB") == .sourceIdentityChanged)
        #expect(try code(own, "2", "0/9000000", "1MB") == .sourceIdentityChanged)
        #expect(try code(own, "1", "0/9000000", "16MB") == .sourceIdentityChanged)
        #expect(try code(own, "2", "0/4FFFFFF", "16MB") == .sourceIdentityChanged)
    }

    @Test func `standbys and old versions are refused`() throws {
        var standby = try StreamScript()
        try standby.answer("IDENTIFY_SYSTEM", [["77", "1", "0/9000000", nil]])
        let refusal = #expect(throws: TidemarkError.self) {
            try standby.answer("SHOW in_hot_standby", [["on"]])
        }
        #expect(refusal?.code == .sourceRefused)
        let old = #expect(throws: TidemarkError.self) { _ = try StreamScript(version: 120_022) }
        #expect(old?.message.contains("12.22") == true)
    }

    @Test func `13 tells a standby from a primary that is read-only by configuration`() throws {
        for (configured, isStandby) in [("off", true), ("on", false)] {
            var script = try StreamScript(version: 130_014)
            try script.answer("IDENTIFY_SYSTEM", [["77", "1", "0/9000000", nil]])
            try script.answer("SHOW transaction_read_only", [["on"]])
            if isStandby {
                #expect(throws: TidemarkError.self) {
                    try script.answer("SHOW default_transaction_read_only", [[configured]])
                }
            } else {
                try script.answer("SHOW default_transaction_read_only", [[configured]])
                #expect(script.action == .ask("SHOW wal_segment_size"))
            }
        }
    }

    @Test func `up to 14 the slot is looked up by SQL and made in the old dialect`() throws {
        var script = try StreamScript(version: 140_010)
        try script.introduce()
        try script.answer("SELECT slot_type, restart_lsn", [])
        try script.reply(
            "CREATE_REPLICATION_SLOT \"tidemark_ledger\" PHYSICAL RESERVE_WAL", [.done("")])
        try script.answer("SELECT slot_type, restart_lsn", [["physical", "0/8000028", nil]])
        try script.reply(start("0/8000000"), [.copyBoth])
        #expect(script.action == .stream)
    }

    @Test func `up to 14 without SQL an existing slot is used as it is`() throws {
        var script = try StreamScript(version: 140_010)
        try script.introduce()
        try script.reply("SELECT slot_type, restart_lsn", [])
        try script.refuse("CREATE_REPLICATION_SLOT", "42710", "already exists")
        try script.reply(start("0/9000000"), [.copyBoth])
        #expect(script.action == .stream)
    }

    @Test func `a logical slot, a missing right and a held slot are errors`() throws {
        var logical = try StreamScript()
        try logical.introduce()
        let refusal = #expect(throws: TidemarkError.self) {
            try logical.answer("READ_REPLICATION_SLOT", [["logical", "0/1", "1"]])
        }
        #expect(refusal?.code == .sourceRefused)
        var held = try StreamScript()
        try held.introduce()
        try held.slot("0/8000028")
        let busy = #expect(throws: TidemarkError.self) {
            try held.refuse(start("0/8000000"), "55006", "slot \"x1\" is active for PID 4242")
        }
        #expect(busy?.code == .sourceUnreachable)
        #expect(busy?.remedy.contains("pg_terminate_backend(4242)") == true)
    }
}
