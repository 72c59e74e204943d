import HTTPTypes
import Hummingbird
import Model
import Platform

/// What the monitoring server answers; the paths are a contract.
struct Routes {
    let view: any SidecarView
    let feed: LiveFeed
    let options: HTTPOptions

    func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.middlewares.add(SecurityHeaders())
        if let token = options.token { router.middlewares.add(BearerGuard(token)) }
        health(router)
        router.get("/metrics") { request, _ in
            let dialect = OpenMetricsText.Dialect(accept: request.headers[.accept])
            return Answers.text(metrics.text(dialect), dialect.contentType)
        }
        router.get("/api/status") { _, _ in Answers.json(view.status()) }
        router.get("/api/live") { _, _ in feed.response() }
        return router
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
