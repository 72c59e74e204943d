import Model
import Platform
import TestKit
import Testing

/// The page in a real browser, against the real server with a sample sidecar.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DashboardTests {
    /// Opens the page and waits until it shows all there is.
    private static func open(
        _ server: DashboardServer, width: Int = 1360, height: Int = 900, isDark: Bool = false,
        history: String = SampleHistory.script
    ) throws -> Browser {
        let browser = try Browser()
        try browser.prepare(history)
        try browser.setScreen(width: width, height: height, isDark: isDark)
        try browser.open(server.url)
        try browser.wait("!!document.querySelector('.card .number')?.textContent")
        try browser.wait("!!document.querySelector('#table tbody')")
        return browser
    }

    private static func text(_ browser: Browser, _ selector: String) throws -> String {
        try browser.value("document.querySelector('\(selector)').textContent")
    }

    /// Nothing is refused, nothing throws, nothing comes from elsewhere, nothing sticks out.
    private static func expectSound(_ browser: Browser, _ page: String) throws {
        // A name that is cut off is another's name, and of a caption it is the bad news that is cut.
        let cut =
            "['h3', 'figcaption', 'dd', '.reason', '.goal'].flatMap((kind) => ["
            + "...document.querySelectorAll('.card ' + kind)]).filter((one) => "
            + "one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent).join('; ')"
        #expect(try browser.value(cut) == "", "cut off")
        #expect(browser.problems.isEmpty, "\(page): \(browser.problems)")
        let over = try browser.value("document.documentElement.scrollWidth - innerWidth")
        #expect(Int(over).map { $0 <= 0 } == true, "\(page) is \(over) pixels too wide")
        let foreign = try browser.value(
            """
            performance.getEntriesByType("resource").map((one) => one.name)
              .filter((name) => !name.startsWith(location.origin)).join()
            """)
        #expect(foreign.isEmpty, "\(page) asked for \(foreign)")
    }

    @Test(arguments: [false, true])
    func `three sources that are fine`(isDark: Bool) async throws {
        try await withDashboard(SampleSidecar([.fine, .fine, .fine])) { server in
            let browser = try Self.open(server, isDark: isDark)
            #expect(
                try Self.text(browser, "#verdict") == "All 3 sources are within their objective")
            #expect(try Self.text(browser, ".card h3") == "ledger")
            #expect(try Self.text(browser, ".card .chip") == "streaming")
            #expect(try Self.text(browser, ".card .goal") == "objective 15 min: met")
            try browser.wait(
                "document.querySelector('.card dl').innerText.includes('MiB/s')")
            try browser.wait("!!document.querySelector('.curve .line').getAttribute('d')")
            try Self.expectSound(browser, "three")
            try DashboardServer.keep(
                try browser.screenshot(), isDark ? "three-dark" : "three-light")
        }
    }

    @Test func `thirty sources`() async throws {
        let looks = (0..<30).map { index -> SampleSidecar.Look in
            index == 7 ? .breached : index == 16 ? .unreachable : index == 22 ? .gap : .fine
        }
        try await withDashboard(SampleSidecar(looks)) { server in
            let browser = try Self.open(server, width: 1440)
            #expect(try browser.value("document.querySelectorAll('.card').length") == "30")
            #expect(try browser.value("document.querySelectorAll('.axis .label').length") == "30")
            #expect(try Self.text(browser, "#verdict") == "3 of 30 sources need attention")
            #expect(try browser.value("document.querySelectorAll('#troubles a').length") == "3")
            try Self.expectSound(browser, "thirty")
            try DashboardServer.keep(try browser.screenshot(), "thirty")
        }
    }

    @Test func `an empty archive says so and promises nothing`() async throws {
        try await withDashboard(SampleSidecar([.empty, .empty])) { server in
            let browser = try Self.open(server, isDark: true)
            #expect(try Self.text(browser, "#verdict") == "2 of 2 sources need attention")
            #expect(try Self.text(browser, ".card .number") == "unknown")
            #expect(try Self.text(browser, ".card .reason") == "nothing is archived yet")
            #expect(try browser.value("document.querySelectorAll('.window').length") == "1")
            try Self.expectSound(browser, "empty")
            try DashboardServer.keep(try browser.screenshot(), "empty")
        }
    }

    @Test func `a gap stands on the axis, in the table and in words`() async throws {
        try await withDashboard(SampleSidecar([.fine, .gap, .fine])) { server in
            let browser = try Self.open(server)
            #expect(try Self.text(browser, "#source-lessons .chip") == "gap")
            #expect(try Self.text(browser, "#source-lessons .number") == "unknown")
            #expect(try Self.text(browser, "#source-lessons .goal").hasSuffix("breached"))
            #expect(
                try browser.value("document.querySelectorAll('.axis .hatched').length") == "1")
            #expect(
                try Self.text(browser, "#table").contains(
                    "history lost: the source no longer had it"))
            try Self.expectSound(browser, "gap")
            try DashboardServer.keep(try browser.screenshot(), "gap")
        }
    }

    @Test(arguments: [false, true])
    func `a breach is loud, and readable on a phone`(isDark: Bool) async throws {
        try await withDashboard(SampleSidecar([.breached, .unreachable, .fine])) { server in
            let browser = try Self.open(server, width: 390, height: 844, isDark: isDark)
            #expect(try Self.text(browser, "#verdict") == "2 of 3 sources need attention")
            #expect(try Self.text(browser, "#source-ledger .goal") == "objective 15 min: breached")
            #expect(try Self.text(browser, "#source-lessons .goal") == "objective 1 h: at risk")
            #expect(try browser.value("document.title").hasPrefix("2 !"))
            #expect(
                try browser.value(
                    "document.querySelector('#source-ledger').dataset.mood") == "bad")
            try Self.expectSound(browser, "phone")
            try DashboardServer.keep(
                try browser.screenshot(), isDark ? "phone-dark" : "phone-light")
        }
    }

    @Test func `the curve stands over the objective's line where the objective was breached`()
        async throws
    {
        try await withDashboard(SampleSidecar([.fine, .fine])) { server in
            let browser = try Self.open(server, history: SampleHistory.simple)
            try browser.wait("document.querySelector('.curve .line').getAttribute('d').length > 99")
            // Of one quarter of an hour and of one hour: ends of the line, and where it is passed.
            let found = try browser.value(
                """
                JSON.stringify([...document.querySelectorAll(".card")].map((card) => {
                  const limit = card.querySelector(".limit");
                  const at = (name) => Number(limit.getAttribute(name));
                  const wide = card.querySelector(".curve").viewBox.baseVal.width;
                  const over = card.querySelector(".line").getAttribute("d").split(/[ML]/)
                    .filter(Boolean).map((one) => one.split(" ").map(Number))
                    .filter(([, y]) => y < at("y1")).map(([x]) => x / wide);
                  const isSeen = getComputedStyle(limit).stroke !== "none";
                  return [isSeen && at("x1") === 0 && at("x2") === wide && at("y1") === at("y2"),
                    over.length > 0 && over.every((x) => x > 0.78 && x < 0.8), over.length];
                }))
                """)
            #expect(found.hasPrefix("[[true,true,"), "\(found)")
            #expect(found.hasSuffix(",[true,false,0]]"), "\(found)")
            let words = try browser.value(
                "document.querySelector('.card .curve').getAttribute('aria-label')")
            #expect(words.contains("at worst 30 min") && words.hasSuffix("objective 15 min"))
        }
    }

    @Test func `the activity stands on the axis, by its time and its size`() async throws {
        try await withDashboard(SampleSidecar([.fine, .fine])) { server in
            let browser = try Self.open(server, history: SampleHistory.simple)
            // Place on the day and height of each column, but those of just now. The axis may be
            // drawn anew, without them for a moment.
            var columns: [[Double]] = []
            try eventually("the columns are drawn") {
                columns = try browser.value(
                    """
                    (() => {
                      const track = document.querySelector(".axis .track");
                      const [left, wide] = ["x", "width"].map((name) => +track?.getAttribute(name));
                      return (document.querySelector(".axis .activity")?.getAttribute("d") ?? "")
                        .split("M").filter(Boolean).map((one) => {
                          const [x, , tall] = one.split(/[ vh]/).map(Number);
                          return [(1 - (x - left) / wide) * 24, -tall];
                        }).filter(([hours]) => hours > 0.5).join(" ");
                    })()
                    """
                ).split(separator: " ").map { $0.split(separator: ",").compactMap { Double($0) } }
                return !columns.isEmpty
            }
            try #require(columns.count == 2, "\(columns)")
            #expect(abs(columns[0][0] - 10) < 0.1 && abs(columns[1][0] - 1) < 0.1, "\(columns)")
            // By the root: four times the bytes are twice as tall.
            #expect(abs(columns[0][1] / columns[1][1] - 2) < 0.1, "\(columns)")
        }
    }

    @Test func `a click asks for the moment and gives the command`() async throws {
        try await withDashboard(SampleSidecar([.fine, .gap])) { server in
            let browser = try Self.open(server)
            let box = try browser.value(
                """
                (() => { const box = document.querySelector("#plot").getBoundingClientRect();
                  return [box.left, box.top, box.width].join(); })()
                """
            ).split(separator: ",").compactMap { Double($0) }
            // The axis may be drawn anew while the button is down.
            try browser.point(
                x: box[0] + box[2] * 0.9, y: box[1] + 35, clicks: true,
                between: "document.querySelector('svg.axis').replaceChildren()")
            let tip = try Self.text(browser, "#tip")
            #expect(tip.contains("UTC") && tip.contains("ledger"))
            #expect(tip.contains("can be restored") && tip.contains("position"))
            try browser.wait("!!document.querySelector('#moment code')")
            #expect(try Self.text(browser, "#moment .answer").contains("1 of 2 sources can be"))
            #expect(
                try Self.text(browser, "#moment code").hasPrefix("tidemark restore --to 20"))
            #expect(try Self.text(browser, "#moment .near").hasPrefix("nearest before:"))
            try Self.expectSound(browser, "moment")
            try DashboardServer.keep(try browser.screenshot(), "moment")
            // The way round is a button that asks for the other moment.
            try browser.value("document.querySelector('#moment .near').click()")
            try browser.wait(
                "document.querySelector('#moment .answer').textContent.includes('All 2 sources')")
        }
    }

    @Test func `everything on the axis is reached by the keyboard`() async throws {
        try await withDashboard(SampleSidecar([.fine, .fine])) { server in
            let browser = try Self.open(server)
            try browser.value("document.querySelector('#spans button:last-child').focus()")
            try browser.press("Tab", code: 9)
            #expect(try browser.value("document.activeElement.id") == "plot")
            try browser.press("ArrowLeft", code: 37)
            let now = try browser.value(
                "document.querySelector('#plot').getAttribute('aria-valuetext')")
            #expect(now.contains("UTC. ledger"))
            try browser.press("ArrowDown", code: 40)
            try browser.press("ArrowLeft", code: 37, shift: true)
            let mark = try browser.value(
                "document.querySelector('#plot').getAttribute('aria-valuetext')")
            #expect(mark.contains("lessons. mark before-migration. can be restored."))
            #expect(mark.contains("position 15500"))
            let outline = try browser.value(
                "getComputedStyle(document.activeElement).outlineStyle")
            #expect(outline == "solid")
            try browser.press("Enter", code: 13)
            try browser.wait("!!document.querySelector('#moment code')")
            #expect(try Self.text(browser, "#moment .answer").contains("All 2 sources"))
        }
    }
}
