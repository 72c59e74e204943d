import Model
@testable import Postgres
import Testing

/// Following a server over its timelines: 1 up to 0/5000100, 2 up to 0/7000200, then 3.
@Suite struct StreamTimelineTests {
    private func opened(_ resume: ResumePoint, slot: String = "0/8000028") throws -> StreamScript {
        var script = try StreamScript(resume)
        try script.introduce(3)
        try script.slot(slot, timeline: "3")
        try script.answer(
            "TIMELINE_HISTORY 3", [["00000003.history", StreamScript.history3]])
        try script.answer(
            "TIMELINE_HISTORY 2", [["00000002.history", "1\t0/5000100\tno reason\n"]])
        return script
    }

    private func start(_ script: StreamScript) -> (UInt32, UInt64) {
        (script.machine.timeline, script.machine.start)
    }

    @Test func `every history file of the chain goes to the archive, oldest first`() throws {
        let script = try opened(ResumePoint(descriptor: nil, end: nil))
        #expect(script.machine.documents.map(\.name) == ["00000002.history", "00000003.history"])
        #expect(script.machine.documents.map(\.timeline.name) == ["2", "3"])
        #expect(script.machine.documents[1].content == Array(StreamScript.history3.utf8))
        #expect(start(script) == (3, 0x800_0000))
    }

    @Test func `an ancestor's file may be missing, the newest may not`() throws {
        var script = try StreamScript(StreamScript.archive(3, 0x810_0000))
        try script.introduce(3)
        try script.slot("0/8000028", timeline: "3")
        try script.answer("TIMELINE_HISTORY 3", [["00000003.history", StreamScript.history3]])
        try script.refuse("TIMELINE_HISTORY 2", "58P01")
        #expect(start(script) == (3, 0x800_0000))
        var other = try StreamScript(StreamScript.archive(3, 0x810_0000))
        try other.introduce(3)
        try other.slot("0/8000028", timeline: "3")
        #expect(throws: TidemarkError.self) { try other.refuse("TIMELINE_HISTORY 3", "58P01") }
    }

    @Test func `an archive on an older timeline first finishes it`() throws {
        #expect(start(try opened(StreamScript.archive(1, 0x410_0000))) == (1, 0x400_0000))
        #expect(start(try opened(StreamScript.archive(2, 0x610_0000))) == (2, 0x600_0000))
        // Little of the fork's segment is archived: the one before it comes again.
        #expect(start(try opened(StreamScript.archive(1, 0x500_0100))) == (1, 0x400_0000))
        // Timeline 2 has no segment before the one it was forked in.
        #expect(start(try opened(StreamScript.archive(2, 0x500_0200))) == (2, 0x500_0000))
    }

    @Test func `an archive that got beyond the fork starts the child at the fork's segment`() throws
    {
        #expect(start(try opened(StreamScript.archive(1, 0x590_0000))) == (2, 0x500_0000))
        #expect(start(try opened(StreamScript.archive(2, 0x790_0000))) == (3, 0x700_0000))
    }

    @Test func `an archive on a side branch goes on from the newest timeline both know`() throws {
        let two = Position(timeline: TimelineID("2"), ordinal: 0x610_0000)
        var script = try StreamScript(StreamScript.archive(4, 0x910_0000, others: [two]))
        try script.introduce(5)
        try script.slot("0/8000028", timeline: "5")
        try script.answer(
            "TIMELINE_HISTORY 5",
            [["00000005.history", "1\t0/5000100\tx\n\n2\t0/7000200\tx\n\n3\t0/8000300\tx\n"]])
        for ancestor in [3, 2] {
            try script.refuse("TIMELINE_HISTORY \(ancestor)", "58P01")
        }
        #expect(start(script) == (2, 0x600_0000))
    }

    @Test func `a server with another past has lost the archive's history`() throws {
        var script = try StreamScript(StreamScript.archive(2, 0x610_0000))
        try script.introduce(3)
        try script.slot("0/8000028", timeline: "3")
        let error = #expect(throws: TidemarkError.self) {
            try script.answer("TIMELINE_HISTORY 3", [["00000003.history", "1\t0/5000100\tx\n"]])
        }
        #expect(error?.code == .historyLost)
    }

    @Test func `the next timeline is the one that the server names, ids may be skipped`() throws {
        var script = try opened(StreamScript.archive(2, 0x610_0000))
        try script.reply("START_REPLICATION", [.copyBoth])
        script.machine.running()
        let action = try script.machine.handle([
            .rows(ConnectionRows([["6", "0/7000200"]])), .done("START_STREAMING"),
            .done("START_REPLICATION"),
        ])
        #expect(action == .ask("TIMELINE_HISTORY 6"))
        let next = try script.machine.handle([
            .rows(ConnectionRows([["00000006.history", "1\t0/5000100\tx\n\n2\t0/7000200\tx\n"]]))
        ])
        let place = Position(timeline: TimelineID("6"), ordinal: 0x700_0000)
        #expect(next == .timelineEnded(next: place))
        #expect(script.machine.documents.last?.name == "00000006.history")
        #expect(
            script.machine.startNext()
                == .ask(
                    "START_REPLICATION SLOT \"tidemark_ledger\" PHYSICAL 0/7000000 TIMELINE 6"))
    }

    @Test func `a next timeline that goes back, or that another history leads to, is refused`()
        throws
    {
        var script = try opened(StreamScript.archive(2, 0x610_0000))
        try script.reply("START_REPLICATION", [.copyBoth])
        script.machine.running()
        var back = script
        #expect(throws: TidemarkError.self) {
            _ = try back.machine.handle([.rows(ConnectionRows([["2", "0/7000200"]]))])
        }
        _ = try script.machine.handle([.rows(ConnectionRows([["3", "0/7000200"]]))])
        #expect(throws: TidemarkError.self) {
            _ = try script.machine.handle([
                .rows(
                    ConnectionRows([["00000003.history", "1\t0/5000100\tx\n\n2\t0/7000300\tx\n"]]))
            ])
        }
    }

    @Test func `a start at the very switch point is answered by the next timeline`() throws {
        var script = try opened(StreamScript.archive(2, 0x700_0200))
        try script.reply(
            "START_REPLICATION",
            [.rows(ConnectionRows([["3", "0/7000200"]])), .done("START_STREAMING")])
        #expect(script.action == .ask("TIMELINE_HISTORY 3"))
    }

    @Test func `a controlled shutdown ends the stream without an error`() throws {
        var script = try opened(StreamScript.archive(3, 0x810_0000))
        try script.reply("START_REPLICATION", [.copyBoth])
        script.machine.running()
        #expect(try script.machine.handle([.done("COPY 0")]) == .finished)
    }
}
