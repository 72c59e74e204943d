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
            response = Answers.problem(error.status, Self.sentence(error.status, request))
        }
        for field in fields { response.headers[field.name] = field.value }
        return response
    }

    private static func sentence(_ status: HTTPResponse.Status, _ request: Request) -> String {
        switch status {
        case .notFound:
            "there is nothing at this path; try / /health/database /metrics /api/status"
        case .methodNotAllowed: "this can only be read: use GET"
        default: status.reasonPhrase.lowercased()
        }
    }
}
