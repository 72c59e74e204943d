import HTTPTypes
import Hummingbird
import Model

/// The page at `/` and what it is made of; files of this program, without any data.
enum DashboardPage {
    /// One file, by the path it is served at.
    struct Asset: Sendable {
        var path: String
        var type: String
        var bytes: [UInt8]
    }

    static let assets = [
        Asset(
            path: "/", type: "text/html; charset=utf-8", bytes: PackageResources.dashboard_html),
        Asset(
            path: "/dashboard.css", type: "text/css; charset=utf-8",
            bytes: PackageResources.dashboard_css),
        script("", PackageResources.dashboard_js),
        script("-axis", PackageResources.dashboard_axis_js),
        script("-card", PackageResources.dashboard_card_js),
        script("-moment", PackageResources.dashboard_moment_js),
        script("-words", PackageResources.dashboard_words_js),
    ]

    /// What is served without a token.
    static let paths = Set(assets.map(\.path))

    private static func script(_ part: String, _ bytes: [UInt8]) -> Asset {
        Asset(
            path: "/dashboard\(part).js", type: "text/javascript; charset=utf-8", bytes: bytes)
    }

    /// Adds the page and what it asks for.
    static func add(to router: Router<BasicRequestContext>, _ view: any SidecarView) {
        for asset in assets {
            router.get(RouterPath(asset.path)) { _, _ in Answers.bytes(asset.bytes, asset.type) }
        }
        router.get("/api/timeline") { request, _ in
            answer { () throws(TidemarkError) in
                try MomentQuery.nothing(request.uri.queryParameters.map { String($0.key) })
                return view.timeline()
            }
        }
        router.get("/api/moment") { request, _ in
            answer { () throws(TidemarkError) in
                let query = try MomentQuery(
                    request.uri.queryParameters.map { (String($0.key), String($0.value)) })
                return view.moment(query.at)
            }
        }
    }

    /// A question that makes no sense is answered with a sentence.
    private static func answer(
        _ body: () throws(TidemarkError) -> some Encodable
    ) -> Response {
        do throws(TidemarkError) {
            return Answers.json(try body())
        } catch {
            return Answers.problem(.badRequest, error.message + ": " + error.remedy)
        }
    }
}
