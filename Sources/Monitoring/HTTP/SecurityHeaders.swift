import HTTPTypes
import Hummingbird

/// What every answer carries: nothing is cached, framed, sniffed or loaded from elsewhere.
struct SecurityHeaders<Context: RequestContext>: RouterMiddleware {
    private static var values: [(String, String)] {
        [
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            (
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                    + "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                    + "frame-ancestors 'none'"
            ),
        ]
    }

    private let fields: [HTTPField]

    init() {
        fields = Self.values.compactMap { name, value in
            HTTPField.Name(name).map { HTTPField(name: $0, value: value) }
        }
    }

    @concurrent func handle(
        _ request: Request, context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as HTTPError {
            let status = Self.isWrongMethod(error, request) ? .methodNotAllowed : error.status
            response = Answers.problem(status, Self.sentence(status))
            if status == .methodNotAllowed { response.headers[.allow] = "GET, HEAD" }
        }
        for field in fields { response.headers[field.name] = field.value }
        return response
    }

    /// The router knows no such path for this method, but for others.
    private static func isWrongMethod(_ error: HTTPError, _ request: Request) -> Bool {
        guard error.status == .notFound, ![.get, .head].contains(request.method) else {
            return false
        }
        let path = request.uri.path
        let isClosed = path.utf8.count > 1 && path.hasSuffix("/")
        return Routes.paths.contains(isClosed ? String(path.dropLast()) : path)
    }

    private static func sentence(_ status: HTTPResponse.Status) -> String {
        switch status {
        case .notFound:
            "there is nothing at this path; try / /health/database /metrics /api/status"
        case .methodNotAllowed: "this can only be read: use GET"
        default: status.reasonPhrase.lowercased()
        }
    }
}
