import Glibc
import Model
import Platform
import TestKit
import Testing

/// The page of a real sidecar, from the first look to the restored servers.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct DashboardSidecarTests {
    @Test func `a click on a moment gives a command that brings both databases back to it`()
        async throws
    {
        try await offPool {
            let both = try DashboardSidecar()
            try both.postgres.psql("create table t (i int, at timestamptz)")
            let sidecar = try both.start()
            try both.waitRestorable(from: nil, to: both.now)
            let browser = try Browser()
            try browser.setScreen(width: 1360, height: 900, isDark: false)
            try browser.open(both.url)
            try expectFollowed(browser)
            var written: [CommitTime] = []
            for number in 1...16 {
                written.append(both.now)
                try both.postgres.psql("insert into t values (\(number), clock_timestamp())")
                try both.redis.command("SET", "k\(number)", "v")
                both.pause(0.4)
            }
            try both.postgres.psql("drop table t")
            try both.redis.command("FLUSHALL")
            try both.waitRestorable(from: written[0], to: both.now)
            let moment = try choose(browser, at: written[12])
            let command = try browser.value("document.querySelector('#moment code').textContent")
            #expect(
                command.hasPrefix(
                    "tidemark restore --to \(moment) --into ./restored-")
                    && command.contains(" --source ledger --source sessions --repository file://"),
                "\(command)")
            let done = try both.paste(command)
            #expect(done.status.isSuccess, "\(done.errors)")
            try expectRestored(both, command, written.filter { $0 <= moment }.count)
            #expect(try sidecar.terminate(seconds: 20).isSuccess)
        }
    }

    @Test func `a repository that is gone is the headline, and the exposure grows meanwhile`()
        async throws
    {
        try await offPool {
            let both = try DashboardSidecar()
            let sidecar = try both.start()
            try both.waitRestorable(from: nil, to: both.now)
            let browser = try Browser()
            try browser.open(both.url)
            try expectFollowed(browser)
            let archive = both.folder + "/archive"
            try both.postgres.run("/bin/mv", [archive, archive + ".away"])
            try browser.wait(
                "document.querySelector('#verdict').textContent === "
                    + "'The archive does not take what is to be kept'", seconds: 60)
            #expect(try browser.value("document.querySelector('#about').className") == "bad")
            let exposure =
                "parseFloat(document.querySelector('#source-ledger .number').textContent)"
            try browser.wait("\(exposure) > 5", seconds: 60)
            // Nobody can be shown a good state meanwhile.
            #expect(
                try browser.value(
                    "document.querySelectorAll('.card[data-mood=ok]').length") == "0")
            try both.postgres.run("/bin/mv", [archive + ".away", archive])
            try browser.wait(
                "document.querySelector('#verdict').textContent === "
                    + "'All 2 sources are within their objective'", seconds: 120)
            try browser.wait("\(exposure) < 5")
            try both.waitRestorable(from: nil, to: both.now)
            #expect(try sidecar.terminate(seconds: 20).isSuccess)
        }
    }

    /// State in words, and an exposure that ticks.
    private func expectFollowed(_ browser: Browser) throws {
        try browser.wait(
            "document.querySelector('#verdict').textContent === "
                + "'All 2 sources are within their objective'")
        for (name, kind) in [("ledger", "Postgres"), ("sessions", "Redis")] {
            let card = "document.querySelector('#source-\(name)')"
            #expect(try browser.value("\(card).querySelector('.chip').textContent") == "streaming")
            #expect(try browser.value("\(card).querySelector('.kind').textContent") == kind)
            #expect(
                try browser.value("\(card).querySelector('.what').textContent")
                    == "could be lost now")
            let goal = name == "ledger" ? "objective 15 min: met" : "objective 1 h: met"
            #expect(try browser.value("\(card).querySelector('.goal').textContent") == goal)
        }
        // It rises between two proofs and falls with each: both are seen, and it is never much.
        try browser.value(
            """
            (window.seen = [], window.watching = setInterval(() => seen.push(parseFloat(
              document.querySelector("#source-ledger .number").textContent)), 100))
            """)
        try browser.wait("seen.some((one, index) => index && one > seen[index - 1])")
        try browser.wait("seen.some((one, index) => index && one < seen[index - 1])")
        try browser.value("clearInterval(watching)")
        #expect(try browser.value("seen.every((one) => one > 0 && one < 30)") == "true")
        #expect(browser.problems.isEmpty, "\(browser.problems)")
    }

    /// Clicks on the axis where a moment is, and returns the one that was chosen.
    private func choose(_ browser: Browser, at time: CommitTime) throws -> CommitTime {
        // An hour on a very wide screen: so near to a base backup its sign would be meant.
        try browser.setScreen(width: 6000, height: 900, isDark: false)
        try browser.value("document.body.style.maxWidth = 'none'")
        try browser.value("document.querySelector('#spans button').click()")
        try browser.wait("document.querySelector('svg.axis').viewBox.baseVal.width > 5000")
        try browser.value("document.querySelector('#plot').scrollIntoView({ block: 'center' })")
        // Its geometry: names on the left, a small edge on the right, an hour between.
        let place = try browser.value(
            """
            (() => { const box = document.querySelector("svg.axis").getBoundingClientRect();
              const [label, now] = [132, Date.now()];
              const part = 1 - (now - Date.parse("\(time)")) / 3600000;
              return [box.left + label + part * (box.width - label - 6), box.top + 30].join(); })()
            """
        ).split(separator: ",").compactMap { Double($0) }
        try browser.point(x: place[0], y: place[1], clicks: true)
        try browser.wait("!!document.querySelector('#moment code')")
        let answer = try browser.value("document.querySelector('#moment').innerText")
        #expect(answer.hasPrefix("All 2 sources can be restored to "), "\(answer)")
        #expect(answer.contains("Time until running: not known"), "\(answer)")
        return try #require(CommitTime(try browser.value("document.querySelector('#at').value")))
    }

    /// Both servers start by themselves and hold what was written first, and nothing after it.
    private func expectRestored(
        _ both: DashboardSidecar, _ command: String, _ count: Int
    ) throws {
        let into = try #require(command.split(separator: " ").first { $0.hasPrefix("./restored") })
        let place = both.folder + into.dropFirst()
        let postgres = try PostgresServer.adopt(place + "/ledger")
        try eventually("recovery is over") {
            access(postgres.pgData + "/recovery.signal", F_OK) != 0
        }
        let rows = try eventually("it takes connections") {
            try? postgres.psql("select count(*), max(i) from t")
        }
        // A row is committed just after its moment was noted, a key after that.
        let possible = [count - 1, count]
        #expect(possible.contains { rows == "\($0)|\($0)" }, "\(rows) of \(count)")
        let redis = try RedisServer.start(["dir \(place)/sessions", "appendonly yes"])
        let keys = Int(try redis.command("DBSIZE")) ?? 0
        #expect((count - 2...count).contains(keys), "\(keys) of \(count)")
        #expect(try redis.command("EXISTS", "k\(keys)") == "1")
    }
}
