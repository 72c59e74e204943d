import Model
import Testing

@testable import Daemon

/// What is told when several sources cannot all be restored.
@Suite struct RestoreOrderlinessTests {
    private let ledger = SourceID("ledger")!
    private let sessions = SourceID("sessions")!
    private let shop = SourceID("shop")!
    private let absent = TidemarkError(
        .targetOutsideWindow, "event 1-5 is not in the archive of sessions", remedy: "look again")

    @Test func `an event of one source asks for that source`() {
        let error = RestoreOrderliness.refusal(of: .before("1-5"), absent, found: [ledger])
        #expect(error.code == .usage && error.message.contains("before:1-5"))
        #expect(error.remedy.hasPrefix("add --source ledger"))
        let nobodys = RestoreOrderliness.refusal(of: .before("1-5"), absent, found: [])
        #expect(nobodys.code == .targetOutsideWindow && nobodys.message == absent.message)
    }

    @Test func `moments are of all sources, places are of one`() {
        #expect(RestoreOrderliness.isOfOneSource(.transaction(5)))
        #expect(RestoreOrderliness.isOfOneSource(.position(scheme: "lsn", text: "0/1")))
        #expect(!RestoreOrderliness.isOfOneSource(.point("x")))
        #expect(!RestoreOrderliness.isOfOneSource(.latest))
    }

    @Test func `a failure in the middle says what is done and what was not begun`() {
        let error = RestoreOrderliness.unfinished(absent, done: [ledger], rest: [shop])
        #expect(error.message == absent.message && error.code == absent.code)
        #expect(
            error.remedy == "look again; already restored: ledger; not begun: --source shop")
        #expect(
            RestoreOrderliness.unfinished(absent, done: [], rest: []).remedy == "look again")
    }

    @Test func `a signal says what is left, what is done and what was not begun`() {
        #expect(
            RestoreOrderliness.interrupted(nil, done: [], rest: [])
                == "tidemark: interrupted: nothing was written")
        #expect(
            RestoreOrderliness.interrupted(
                (sessions, "half of it is there"), done: [ledger], rest: [shop])
                == "tidemark: interrupted: sessions: half of it is there; already restored: ledger; "
                + "not begun: --source shop")
        #expect(
            RestoreOrderliness.interrupted(nil, done: [ledger, shop], rest: [])
                == "tidemark: interrupted: already restored: ledger, shop")
    }

    @Test(arguments: [
        ("mongodb://h1/", "mongodb://h1:27017/?replicaSet=a", true),
        ("mongodb://u:p@h1/", "mongodb://h2:27017,h1:27017/", true),
        ("mongodb://[::1]:5/", "mongodb://u@[::1]:5/x", true),
        ("redis://h1", "rediss://:p@h1:6379/2", true),
        ("mongodb://127.0.0.1:5/", "mongodb://localhost:5/", true),
        ("mongodb://h1:5/", "mongodb://h1:6/", false), ("redis://h1", "redis://h1:6380", false),
        ("redis+unix:///a", "redis+unix:///b", false),
    ])
    func `one server is no place for two sources, whatever it is called`(
        _ one: String, _ other: String, _ isSame: Bool
    ) throws {
        let one = try #require(SourceURL(one))
        let other = try #require(SourceURL(other))
        let refusal = RestoreOrderliness.refusal(of: [(ledger, one), (shop, other)])
        #expect((refusal != nil) == isSame)
        guard let refusal else { return }
        #expect(refusal.code == .usage && refusal.remedy.contains("--into shop=URL"))
        #expect(refusal.message.contains("ledger and shop") && !refusal.message.contains("p@"))
    }

    @Test func `a server is a place for sources of its own kind, and never for a Postgres`()
        throws
    {
        for (url, kind) in [
            ("postgres://a/b", DatabaseKind.postgres), ("mongodb://a", .mongodb),
            ("mongodb+srv://a", .mongodb), ("rediss://a", .redis), ("redis+unix:///a", .redis),
        ] {
            let url = try #require(SourceURL(url))
            for other in DatabaseKind.allCases {
                let refusal = RestoreOrderliness.refusal(of: url, for: shop, other)
                #expect((refusal == nil) == (other == kind && kind != .postgres))
                #expect(refusal?.code ?? .usage == .usage)
                let server = ["mongodb://HOST:PORT/", "redis://HOST:PORT"]
                let told = server.filter { refusal?.remedy.contains($0) == true }
                let wanted: [DatabaseKind: [String]] = [.mongodb: [server[0]], .redis: [server[1]]]
                #expect(told == (refusal == nil ? [] : wanted[other] ?? []))
            }
        }
    }
}
