import HTTPTypes
import Hummingbird
import Model
import Platform

/// What the monitoring server answers; the paths are a contract.
struct Routes {
    let view: any SidecarView
    let feed: LiveFeed
    let options: HTTPOptions
    private let histories = HistoryCache()

    init(view: any SidecarView, feed: LiveFeed, options: HTTPOptions) {
        self.view = view
        self.feed = feed
        self.options = options
    }

    /// Every path that has an answer.
    static let paths = DashboardPage.paths.union([
        "/health/live", "/health/ready", "/health/database", "/metrics", "/api/status",
        "/api/history", "/api/timeline", "/api/moment", "/api/live",
    ])

    func router() -> Router<BasicRequestContext> {
        // What can be got can be asked for its head as well (RFC 9110, section 9.1).
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.middlewares.add(SecurityHeaders())
        if let token = options.token { router.middlewares.add(BearerGuard(token)) }
        health(router)
        router.get("/metrics") { request, _ in
            let dialect = OpenMetricsText.Dialect(accept: request.headers[.accept])
            return Answers.bytes(metrics.bytes(dialect), dialect.contentType)
        }
        router.get("/api/status") { _, _ in Answers.json(view.status()) }
        router.get("/api/history") { request, _ in
            guard let hours = Self.hours(request.uri.queryParameters["hours"]) else {
                return Answers.problem(
                    .badRequest, "hours must be a whole number from 1 to \(SourceHistory.hourLimit)"
                )
            }
            let body = histories.body(hours) {
                HistoryText(
                    hours: hours, now: view.status().time.time, sources: view.history()
                ).bytes
            }
            guard let body else {
                return Answers.problem(
                    .serviceUnavailable,
                    "too many different stretches are asked for; try again in ten seconds")
            }
            return Answers.buffer(body, "application/json; charset=utf-8")
        }
        DashboardPage.add(to: router, view)
        router.get("/api/live") { _, _ in feed.response() }
        return router
    }

    /// A day when nothing is asked for; nil when it is no number in the range.
    private static func hours(_ text: Substring?) -> Int? {
        guard let text else { return 24 }
        let isPlain = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isPlain, let hours = Int(text) else { return nil }
        return (1...SourceHistory.hourLimit).contains(hours) ? hours : nil
    }

    private func health(_ router: Router<BasicRequestContext>) {
        router.get("/health/live") { _, _ in Answers.json(["status": "ok"]) }
        router.get("/health/ready") { _, _ in
            view.isReady
                ? Answers.json(["status": "ok"])
                : Answers.json(["status": "starting"], .serviceUnavailable)
        }
        router.get("/health/database") { _, _ in
            let health = HealthDocument(view.status())
            return Answers.json(health, health.verdict.isHealthy ? .ok : .serviceUnavailable)
        }
    }

    private var metrics: MetricsPage {
        MetricsPage(
            document: view.status(), counters: view.counters(), stored: view.stored(),
            process: ProcessUse.now(), isReady: view.isReady)
    }
}
