import FoundationEssentials
import Model

/// One source of `/api/timeline`, as far as the tests look at its destructive events.
package struct AxisReport: Decodable, Sendable {
    package struct Event: Decodable, Sendable {
        package var id: String
        package var action: String
        package var place: String
        package var time: String
        package var position: String
    }

    package var events: [Event]
    /// `complete` once everything that is archived has been searched.
    package var search: String?

    private enum CodingKeys: String, CodingKey {
        case events
        case search = "event_search"
    }

    private struct Document: Decodable { var sources: [AxisReport] }

    /// Waits until the first source's axis shows so many events and all has been searched.
    package static func wait(_ port: Int, events count: Int, seconds: Double = 90) throws -> [Event]
    {
        try eventually("\(count) events are shown", seconds: seconds) {
            let answer = try? LoopbackHTTP.get(port, "/api/timeline")
            guard let body = answer?.body,
                let document = try? JSONDecoder().decode(Document.self, from: Data(body.utf8)),
                let source = document.sources.first, source.search == "complete",
                source.events.count == count
            else { return nil }
            return source.events
        }
    }
}
