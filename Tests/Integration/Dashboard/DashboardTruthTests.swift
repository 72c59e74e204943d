import Model
import Platform
import TestKit
import Testing

/// No number on the page may be too good, and nothing is shown to who may not see it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DashboardTruthTests {
    private static func open(_ server: DashboardServer) throws -> Browser {
        let browser = try Browser()
        try browser.setScreen(width: 1000, height: 800, isDark: false)
        try browser.open(server.url)
        return browser
    }

    private static let number = "parseFloat(document.querySelector('.card .number').textContent)"

    /// What the page shows, and its clock, in seconds.
    private static func reading(_ browser: Browser) throws -> (exposure: Double, at: Double) {
        let both = try browser.value("[\(number), performance.now() / 1000].join()")
            .split(separator: ",").compactMap { Double($0) }
        return (try #require(both.first), try #require(both.last))
    }

    @Test func `exposure grows while the sidecar says nothing, and the page says so`() async throws
    {
        try await withDashboard(SampleSidecar([.fine])) { server in
            let browser = try Self.open(server)
            try browser.wait("document.querySelector('#link').dataset.link === 'live'")
            try browser.wait("\(Self.number) < 3")
            server.fallSilent()
            // What was last told is under a second; only the page's own clock brings it to three.
            try browser.wait("\(Self.number) > 3")
            let early = try Self.reading(browser)
            try browser.wait("\(Self.number) > 6")
            let late = try Self.reading(browser)
            // Rounded up to a tenth, and written anew every quarter of a second.
            let grown = late.exposure - early.exposure
            #expect(abs(grown - (late.at - early.at)) < 0.6, "\(early) to \(late)")
            try browser.wait("!document.querySelector('#banner').hidden")
            let banner = try browser.value("document.querySelector('#banner').textContent")
            #expect(banner.hasPrefix("Not connected since "))
            #expect(banner.contains("everything below is old"))
            #expect(try browser.value("document.querySelector('#verdict').className") == "bad")
        }
    }

    @Test func `what a page shows is never less than what the sidecar says`() async throws {
        try await withDashboard(SampleSidecar([.breached])) { server in
            let browser = try Self.open(server)
            try browser.wait("!!document.querySelector('.card .number')?.textContent")
            for _ in 0..<5 {
                let both = try browser.value(
                    """
                    fetch("/api/status").then((answer) => answer.json()).then((status) => {
                      const [, minutes, seconds] = document.querySelector(".exposure").textContent
                        .match(/(\\d+) min ?(?:(\\d+) s)?/);
                      return [+minutes * 60 + +(seconds ?? 0), status.sources[0].exposure_seconds]
                        .join();
                    })
                    """
                ).split(separator: ",").compactMap { Double($0) }
                // It is written again every quarter of a second.
                #expect(both[0] >= both[1] - 0.5, "the page shows \(both[0]) instead of \(both[1])")
                #expect(both[0] <= both[1] + 4)
            }
        }
    }

    @Test func `a repository that hangs is the headline, whatever the sources are`() async throws {
        let sidecar = SampleSidecar([.fine, .fine])
        try await withDashboard(sidecar) { server in
            let browser = try Browser()
            try browser.open(server.url)
            try browser.wait(
                "document.querySelector('#verdict').textContent === "
                    + "'All 2 sources are within their objective'")
            sidecar.show(repository: "the repository has not answered for 16 s")
            try browser.wait(
                "document.querySelector('#verdict').textContent === "
                    + "'The archive does not take what is to be kept'")
            #expect(try browser.value("document.querySelector('#verdict').className") == "bad")
            let about = try browser.value("document.querySelector('#about').textContent")
            #expect(about.hasSuffix("the repository has not answered for 16 s"), "\(about)")
            #expect(try browser.value("document.title").contains("!"))
            sidecar.show(repository: "ok")
            try browser.wait("document.querySelector('#about').textContent.endsWith('answers')")
            try browser.wait("document.querySelector('#verdict').className === 'ok'")
        }
    }

    @Test func `a change of state is said once, and ticks are not`() async throws {
        let sidecar = SampleSidecar([.fine, .fine])
        try await withDashboard(sidecar) { server in
            let browser = try Self.open(server)
            try browser.wait("!!document.querySelector('.card .number')?.textContent")
            try browser.value(
                """
                (window.heard = [], new MutationObserver(() => heard.push(
                  document.querySelector("#said").textContent)).observe(
                  document.querySelector("#said"), { childList: true, characterData: true,
                    subtree: true }))
                """)
            sidecar.show(.breached, at: 1)
            try browser.wait("heard.length > 0")
            try browser.wait("document.querySelector('#source-lessons').dataset.mood === 'warn'")
            let heard = try browser.value("heard.join('|')")
            #expect(heard.hasPrefix("lessons: stalled, objective met, 16 min "))
            #expect(!heard.contains("|"))
            let live = try browser.value(
                """
                [...document.querySelectorAll(".card")].filter((card) =>
                  card.closest("[aria-live]") || card.querySelector("[aria-live]")).length
                """)
            #expect(live == "0")
        }
    }

    @Test func `with a token the page asks for it and shows nothing before`() async throws {
        try await withDashboard(SampleSidecar([.fine]), token: "secret-42") { server in
            let browser = try Self.open(server)
            try browser.wait("!document.querySelector('#door').hidden")
            #expect(try browser.value("document.querySelector('#page').hidden") == "true")
            #expect(try browser.value("document.body.innerText.includes('ledger')") == "false")
            for path in ["api/status", "api/timeline", "api/moment?at=x", "api/live", "metrics"] {
                #expect(try browser.value("fetch('/\(path)').then((one) => one.status)") == "401")
            }
            try Self.enter("wrong", browser)
            try browser.wait(
                "document.querySelector('#refused').textContent === 'This token was refused.'")
            try Self.enter("secret-42", browser)
            try browser.wait("!!document.querySelector('.card .number')?.textContent")
            try browser.wait("document.querySelector('#link').dataset.link === 'live'")
            #expect(try browser.value("document.querySelector('#door').hidden") == "true")
            #expect(try browser.value("document.cookie + localStorage.length") == "0")
        }
    }

    private static func enter(_ token: String, _ browser: Browser) throws {
        try browser.value("document.querySelector('#token').value = '\(token)'")
        try browser.value("document.querySelector('#door').requestSubmit()")
    }

    @Test(arguments: [
        ("api/moment", "no moment is given"),
        ("api/moment?at=yesterday", "yesterday is no time with a zone"),
        ("api/moment?at=2026-11-24T12:00:00", "2026-11-24T12:00:00 is no time with a zone"),
        ("api/moment?at=2026-13-24T12:00:00Z", "2026-13-24T12:00:00Z is no time with a zone"),
        ("api/moment?at=2026-11-24T12:00:00Z&at=x", "more than one moment is given"),
        ("api/moment?at=2026-11-24T12:00:00Z&source=x", "source is no parameter of this path"),
        ("api/timeline?hours=3", "hours is no parameter of this path"),
    ])
    func `a question that makes no sense gets a sentence`(
        path: String, sentence: String
    ) async throws {
        try await withDashboard(SampleSidecar([.fine])) { server in
            let browser = try Self.open(server)
            let answer = try browser.value(
                """
                fetch("/\(path)").then(async (one) => `${one.status} ${(await one.json()).problem}`)
                """)
            #expect(answer.hasPrefix("400 \(sentence): "))
        }
    }

    @Test func `the page is small, complete in itself, and forbids everything else`() async throws {
        try await withDashboard(SampleSidecar([.fine])) { server in
            let browser = try Self.open(server)
            try browser.wait("!!document.querySelector('.card .number')?.textContent")
            let sizes = try browser.value(
                """
                Promise.all(["", "dashboard.css", "dashboard.js", "dashboard-axis.js",
                  "dashboard-card.js", "dashboard-moment.js", "dashboard-words.js"].map((path) =>
                  fetch("/" + path).then(async (one) => (await one.text()).length))).then((all) =>
                  all.reduce((sum, one) => sum + one))
                """)
            #expect(Int(sizes).map { (10_000..<64 << 10).contains($0) } == true, "\(sizes) bytes")
            let rules = try browser.value(
                "fetch('/').then((one) => one.headers.get('content-security-policy'))")
            #expect(rules.contains("script-src 'self';") && !rules.contains("unsafe"))
            // A script that somebody smuggles into a page does not run.
            try browser.value(
                """
                (() => { const script = document.createElement("script");
                  script.textContent = "window.smuggled = true";
                  document.body.append(script); })()
                """)
            #expect(try browser.value("window.smuggled") == "undefined")
        }
    }
}
