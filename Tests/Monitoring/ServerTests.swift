import Glibc
import Logging
import Model
import Platform
import TestKit
import Testing

@testable import Monitoring

@Suite(.timeLimit(.minutes(3)))
struct ServerTests {
    @Test func `health, metrics and status are answered with their headers`() async throws {
        let view = FixedView()
        try await withServer(view) { port in
            let health = try LoopbackHTTP.get(port, "/health/database")
            #expect(health.status == 200)
            #expect(health.headers["content-type"]?.hasPrefix("application/json") == true)
            for (name, part) in [
                ("cache-control", "no-store"), ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"), ("content-security-policy", "default-src 'none'"),
                ("referrer-policy", "no-referrer"),
            ] {
                #expect(health.headers[name]?.contains(part) == true, "\(name)")
            }
            view.show(SampleStatus.document([SampleStatus.source(state: .stalled)]))
            #expect(try LoopbackHTTP.get(port, "/health/database").status == 503)
            #expect(try LoopbackHTTP.get(port, "/health/live").status == 200)
            #expect(try LoopbackHTTP.get(port, "/health/ready").status == 200)
            let status = try LoopbackHTTP.get(port, "/api/status")
            #expect(status.body.contains("\"stalled\""))
            let metrics = try LoopbackHTTP.get(
                port, "/metrics", headers: ["Accept: application/openmetrics-text"])
            #expect(metrics.headers["content-type"]?.hasPrefix("application/openmetrics") == true)
            #expect(metrics.body.hasSuffix("# EOF\n"))
        }
        try await withServer(FixedView(isReady: false)) { port in
            let ready = try LoopbackHTTP.get(port, "/health/ready")
            #expect(ready.status == 503)
            #expect(ready.body.contains("starting"))
        }
    }

    @Test func `unknown paths and methods are told what there is`() async throws {
        try await withServer { port in
            for path in ["/nothing", "/../../etc/passwd", "/%00", "//nothing", "/health/"] {
                let answer = try LoopbackHTTP.get(port, path)
                #expect(answer.status == 404 || answer.status == 400, "\(path): \(answer.status)")
                #expect(answer.headers["x-content-type-options"] == "nosniff", "\(path)")
            }
            #expect(
                try LoopbackHTTP.get(port, "/nothing").body.contains("there is nothing at this"))
            #expect(try LoopbackHTTP.get(port, "/nothing", method: "POST").status == 404)
            #expect(try LoopbackHTTP.get(port, "/metrics", method: "BREW").status == 400)
        }
    }

    @Test(arguments: Routes.paths.sorted())
    func `a path that can only be read says so to every other method`(path: String) async throws {
        try await withServer { port in
            for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                let answer = try LoopbackHTTP.get(port, path, method: method)
                #expect(answer.status == 405, "\(method): \(answer.status)")
                #expect(answer.headers["allow"] == "GET, HEAD")
                #expect(answer.body.contains("this can only be read: use GET"))
                #expect(answer.headers["x-content-type-options"] == "nosniff")
            }
            let head = try LoopbackHTTP.get(port, path, method: "HEAD")
            #expect(head.status == (path == "/api/moment" ? 400 : 200))
            #expect(head.body.isEmpty)
        }
    }

    @Test func `oversized and malformed requests end, and the next one is answered`()
        async throws
    {
        try await withServer { port in
            let long = String(repeating: "a", count: 40_000)
            for bytes in [
                "GET / HTTP/1.1\r\nHost: x\r\nX: \(long)\r\n\r\n", "GET /\(long) HTTP/1.1\r\n\r\n",
                "\u{16}\u{3}\u{1}\r\n\r\n", "GET\r\n\r\n", "GET /nothing HTTP/9.9\r\n\r\n",
                "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                "GET /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
            ] {
                let connection = try LoopbackConnection(port)
                connection.send(bytes)
                let text = try connection.receive(seconds: 60) { $0.contains("\r\n\r\n") }
                #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 4"), "\(text.prefix(200))")
            }
            #expect(try LoopbackHTTP.get(port, "/health/live").status == 200)
        }
    }

    @Test func `a token is asked for everywhere but at the probes and the page`() async throws {
        let token = "correct-horse"
        try await withServer(token: token) { port in
            for path in ["/metrics", "/api/status", "/api/live", "/health/database", "/nothing"] {
                for headers in [
                    [], ["Authorization: Bearer wrong"], ["Authorization: Bearer "],
                    ["Authorization: Basic correct-horse"],
                    ["Authorization: Bearer correct-horseX"],
                    ["Authorization: Bearer correct-hors"],
                ] {
                    let answer = try LoopbackHTTP.get(port, path, headers: headers)
                    #expect(answer.status == 401, "\(path) \(headers)")
                    #expect(answer.headers["www-authenticate"] == "Bearer realm=\"tidemark\"")
                    #expect(!answer.body.contains(token))
                }
            }
            for path in ["/health/live", "/health/ready"] {
                #expect(try LoopbackHTTP.get(port, path).status == 200)
            }
            for word in ["Bearer", "bearer"] {
                let answer = try LoopbackHTTP.get(
                    port, "/metrics", headers: ["Authorization: \(word) \(token)"])
                #expect(answer.status == 200)
            }
        }
    }

    @Test func `slow clients hold up nobody, and the server's end neither`() async throws {
        try await withServer { port in
            var slow: [LoopbackConnection] = []
            for part in ["", "GET /met", "GET /metrics HTTP/1.1\r\nHost: x\r\n"] {
                for _ in 0..<20 {
                    let connection = try LoopbackConnection(port)
                    connection.send(part)
                    slow.append(connection)
                }
            }
            let began = SocketWait.now()
            #expect(try LoopbackHTTP.get(port, "/metrics").status == 200)
            #expect(SocketWait.now() - began < 50)
            slow.removeAll()
        }
    }

    /// Asks for far more than any buffer between the two takes, and reads nothing.
    private static func glutton(_ port: Int) throws -> LoopbackConnection {
        let connection = try LoopbackConnection(port)
        for _ in 0..<600 {
            connection.send("GET /dashboard-axis.js HTTP/1.1\r\nHost: x\r\n\r\n")
        }
        return connection
    }

    @Test func `clients that do not read do not hold up the server's end`() async throws {
        let feed = LiveFeed()
        let ended = Monitor(0.0)
        try await withServer(feed: feed) { port in
            var kept = try (0..<20).map { _ in try Self.glutton(port) }
            for _ in 0..<20 {
                let page = try LoopbackConnection(port)
                page.send("GET /api/live HTTP/1.1\r\nHost: x\r\n\r\n")
                kept.append(page)
            }
            try eventually("pages listen") { feed.listeners == 20 }
            #expect(try LoopbackHTTP.get(port, "/health/live").status == 200)
            // They stay open until the server has ended.
            Self.held.update { $0 += kept }
            ended.update { $0 = SocketWait.now() }
        }
        #expect(SocketWait.now() - ended.read { $0 } < 8)
        Self.held.update { $0 = [] }
    }

    private static let held = Monitor<[LoopbackConnection]>([])

    @Test func `a page that does not read is cut off, and its place is free again`() async throws {
        let feed = LiveFeed()
        try await withServer(feed: feed) { port in
            let page = try LoopbackConnection(port)
            page.send("GET /api/live HTTP/1.1\r\nHost: x\r\n\r\n")
            try eventually("it listens") { feed.listeners == 1 }
            let big = SampleStatus.document(
                (0..<500).map { SampleStatus.source("s\($0)", reason: "why") })
            try eventually("it is cut off", seconds: 60) {
                try feed.publish(big)
                return feed.listeners == 0
            }
            withExtendedLifetime(page) {}
        }
    }

    @Test func `many idle connections shut nobody out, and who asks nothing is let go`()
        async throws
    {
        // Each takes two descriptors here, one on either side.
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, 4096))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try await withServer { port in
            let idle = try (0..<ConnectionRoster.limit + 60).map { _ in
                try LoopbackConnection(port)
            }
            for _ in 0..<5 {
                #expect(try LoopbackHTTP.get(port, "/health/live", seconds: 10).status == 200)
            }
            // Nothing was asked on the newest one either: it is closed after ten seconds.
            let last = try #require(idle.last)
            let said = try last.receive(seconds: 30) { _ in false }
            #expect(said.isEmpty)
        }
    }

    @Test func `a history is made once for all who ask, and not too many different ones`()
        async throws
    {
        let time = SimulatedTime()
        let cache = HistoryCache(time)
        var made = 0
        for hours in 1...HistoryCache.limit {
            for _ in 0..<3 {
                let body = cache.body(hours) {
                    made += 1
                    return [1]
                }
                #expect(body != nil)
            }
        }
        #expect(made == HistoryCache.limit)
        #expect(cache.body(99) { [] } == nil)
        time.advance(11)
        #expect(cache.body(99) { [2] } != nil)
    }

    @Test func `a port that is taken is told with its address`() async throws {
        let port = try freePort()
        let taken = try LoopbackListener(port)
        let server = try MonitoringServer(
            HTTPOptions(host: "127.0.0.1", port: port), view: FixedView(), feed: LiveFeed(),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let error = await #expect(throws: TidemarkError.self) { try await server.run() }
        #expect(
            error?.message == "cannot listen on 127.0.0.1:\(port): another program listens there")
        #expect(error?.description.contains("errno") == false)
        #expect(error?.remedy.contains("monitoring.listen") == true)
        taken.close()
    }
}
