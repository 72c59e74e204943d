import Testing

@testable import Redis

struct AppendOnlyRewriteTests {
    private func info(
        status: String, writing: Bool = false, due: Bool = false, enabled: Bool = true
    ) -> ServerInfo {
        ServerInfo(
            """
            aof_enabled:\(enabled ? 1 : 0)\r
            aof_rewrite_in_progress:\(writing ? 1 : 0)\r
            aof_rewrite_scheduled:\(due ? 1 : 0)\r
            aof_last_bgrewrite_status:\(status)\r

            """)
    }

    @Test func `a rewrite is waited for, and one that failed ends the wait`() {
        var rewrite = AppendOnlyRewrite(before: info(status: "ok"))
        #expect(rewrite.look(info(status: "ok", due: true), now: 0) == .underWay)
        #expect(rewrite.look(info(status: "ok", writing: true), now: 900) == .underWay)
        #expect(rewrite.look(info(status: "ok"), now: 901) == .done)
        // While the next try is at work nobody knows how that ends.
        #expect(rewrite.look(info(status: "err", writing: true), now: 902) == .underWay)
        #expect(rewrite.look(info(status: "err", due: true), now: 903) == .failed)
        #expect(rewrite.look(info(status: "err"), now: 904) == .failed)
        #expect(rewrite.look(info(status: "err", enabled: false), now: 905) == .done)
    }

    @Test func `what had failed before the server was filled is no news, but not for ever`() {
        var rewrite = AppendOnlyRewrite(before: info(status: "err"))
        #expect(rewrite.look(info(status: "err", due: true), now: 0) == .underWay)
        #expect(rewrite.look(info(status: "err", due: true), now: 59) == .underWay)
        #expect(rewrite.look(info(status: "err", due: true), now: 61) == .failed)
        rewrite = AppendOnlyRewrite(before: info(status: "err"))
        #expect(rewrite.look(info(status: "err", writing: true), now: 0) == .underWay)
        #expect(rewrite.look(info(status: "err", due: true), now: 1) == .failed)
    }
}
