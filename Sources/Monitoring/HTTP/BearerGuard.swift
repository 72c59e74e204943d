import HTTPTypes
import Hummingbird

/// Lets through only who brings the configured token (RFC 6750, section 2.1).
///
/// Free are the two probes that tell nothing but that the program lives, which Kubernetes asks for
/// without a header, and the page itself, which holds no data and asks for the token.
struct BearerGuard<Context: RequestContext>: RouterMiddleware {
    private let token: [UInt8]
    private static var open: Set<String> { ["/", "/health/live", "/health/ready"] }

    init(_ token: String) { self.token = Array(token.utf8) }

    @concurrent func handle(
        _ request: Request, context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard Self.open.contains(request.uri.path) || isAllowed(request) else {
            var refusal = Answers.problem(
                .unauthorized, "a token is needed: send the header Authorization: Bearer TOKEN")
            refusal.headers[.wwwAuthenticate] = "Bearer realm=\"tidemark\""
            return refusal
        }
        return try await next(request, context)
    }

    private func isAllowed(_ request: Request) -> Bool {
        guard let header = request.headers[.authorization],
            header.prefix(7).lowercased() == "bearer "
        else { return false }
        return Self.isEqual(Array(header.dropFirst(7).utf8), token)
    }

    /// Takes as long for a wrong first sign as for a wrong last one.
    private static func isEqual(_ given: [UInt8], _ wanted: [UInt8]) -> Bool {
        var difference = given.count ^ wanted.count
        for place in wanted.indices {
            difference |= Int(wanted[place] ^ (place < given.count ? given[place] : 0))
        }
        return difference == 0
    }
}
