import Model
@testable import Redis
import Testing

struct StreamMachineTests {
    private func info(
        history: String = "new", offset: Int = 1000, older: String? = nil, second: Int = -1,
        backlog: (first: Int, length: Int)? = (1, 1000), more: String = ""
    ) -> ServerInfo {
        let zeros = String(repeating: "0", count: 40)
        var text = """
            redis_version:7.0.15\r
            role:master\r
            master_replid:\(history)\r
            master_replid2:\(older ?? zeros)\r
            master_repl_offset:\(offset)\r
            second_repl_offset:\(second)\r
            repl_backlog_active:\(backlog == nil ? 0 : 1)\r

            """
        if let backlog {
            text += "repl_backlog_first_byte_offset:\(backlog.first)\r\n"
            text += "repl_backlog_histlen:\(backlog.length)\r\n"
        }
        return ServerInfo(text + more)
    }

    private func machine(_ timeline: String, _ ordinal: UInt64, others: [Position] = [])
        -> StreamMachine
    {
        StreamMachine(
            ResumePoint(
                descriptor: nil, end: Position(timeline: TimelineID(timeline), ordinal: ordinal),
                others: others), place: "here")
    }

    private func lost(_ body: () throws -> Void) -> Bool {
        do {
            try body()
            return false
        } catch {
            return (error as? TidemarkError)?.code == .historyLost
        }
    }

    @Test func `a known history goes on where the archive ends`() throws {
        var machine = machine("new", 700)
        #expect(try machine.begin(info()) == .partial(id: "new", from: 701))
        let start = try machine.handle(.continues(id: "new"))
        #expect(start.position == Position(timeline: TimelineID("new"), ordinal: 700))
        #expect(start.parent == nil && !start.hasPayload)
    }

    @Test(arguments: [(500, 501), (1000, 1001)])
    func `the last byte kept may be asked for, and the one after the end`(
        _ ordinal: UInt64, _ from: UInt64
    ) throws {
        var machine = machine("new", ordinal)
        let kept = info(backlog: (501, 500))
        #expect(try machine.begin(kept) == .partial(id: "new", from: from))
    }

    @Test func `a byte that is no longer kept is lost history`() {
        var early = machine("new", 499)
        #expect(lost { _ = try early.begin(info(backlog: (501, 500))) })
        var none = machine("new", 1000)
        #expect(lost { _ = try none.begin(info(backlog: nil)) })
        var stranger = machine("other", 1000)
        #expect(lost { _ = try stranger.begin(info(older: "third", second: 700)) })
    }

    @Test func `an archive behind the fork takes the child timeline from its own end`() throws {
        var machine = machine("old", 600)
        let promoted = info(older: "old", second: 801)
        #expect(try machine.begin(promoted) == .partial(id: "old", from: 601))
        let start = try machine.handle(.continues(id: "new"))
        #expect(start.position == Position(timeline: TimelineID("new"), ordinal: 600))
        #expect(start.parent == Position(timeline: TimelineID("old"), ordinal: 600))
    }

    @Test func `an archive beyond the fork goes back to it`() throws {
        var machine = machine("old", 900)
        #expect(
            try machine.begin(info(older: "old", second: 801)) == .partial(id: "old", from: 801))
        let start = try machine.handle(.continues(id: "new"))
        #expect(start.position.ordinal == 800)
        #expect(start.parent?.ordinal == 800)
    }

    @Test func `an older timeline of the archive is taken up again`() throws {
        var machine = machine(
            "dead", 900, others: [Position(timeline: TimelineID("new"), ordinal: 400)])
        #expect(try machine.begin(info()) == .partial(id: "new", from: 401))
    }

    @Test func `a source behind the archive is waited for`() {
        var machine = machine("new", 1001)
        let failure = #expect(throws: TidemarkError.self) { try machine.begin(info()) }
        #expect(failure?.code == .sourceUnreachable)
    }

    @Test func `without an archive a backlog saves the full resync`() throws {
        var fresh = StreamMachine(ResumePoint(descriptor: nil, end: nil), place: "here")
        #expect(try fresh.begin(info()) == .partial(id: "new", from: 1001))
        #expect(try fresh.begin(info(backlog: nil)) == .full)
        let start = try fresh.handle(.fullResync(id: "third", offset: 14))
        #expect(start.hasPayload)
        #expect(start.position == Position(timeline: TimelineID("third"), ordinal: 14))
    }

    @Test func `without INFO the answer decides`() throws {
        var machine = machine("old", 600)
        #expect(try machine.begin(nil) == .partial(id: "old", from: 601))
        #expect(machine.isBlind)
        #expect(lost { _ = try machine.handle(.fullResync(id: "new", offset: 2000)) })
        #expect(try machine.handle(.continues(id: nil)).position.ordinal == 600)
    }

    @Test(arguments: ["loading:1\r\n", "role:slave\r\nmaster_link_status:down\r\n"])
    func `a server that is not ready is waited for`(_ more: String) {
        var fresh = StreamMachine(ResumePoint(descriptor: nil, end: nil), place: "here")
        let failure = #expect(throws: TidemarkError.self) { try fresh.begin(info(more: more)) }
        #expect(failure?.code == .sourceUnreachable)
    }

    @Test func `answers are read strictly`() {
        #expect(StreamMachine.Answer("+CONTINUE") == .continues(id: nil))
        #expect(StreamMachine.Answer("+CONTINUE abc") == .continues(id: "abc"))
        #expect(StreamMachine.Answer("+FULLRESYNC abc 12") == .fullResync(id: "abc", offset: 12))
        for line in ["", "+OK", "+FULLRESYNC abc", "+FULLRESYNC abc x", "$12"] {
            #expect(StreamMachine.Answer(line) == nil)
        }
    }
}
