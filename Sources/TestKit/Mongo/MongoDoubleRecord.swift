package import Mongo

/// What was asked of the double, so that a test can say what a restore sent and in which order.
/// Questions that come again and again (`hello`, `ping`, `getMore`) are no part of it.
package struct MongoDoubleRecord: Sendable {
    package struct Request: Sendable {
        package let name: String
        /// With document sequences as arrays, as they would stand in the command itself.
        package let command: BSONDocument
        /// Counts beginnings and ends of all requests together.
        package let begun: Int
        /// Nil while it is under way.
        package fileprivate(set) var ended: Int?

        /// Whether both were under way at once.
        package func overlaps(_ other: Request) -> Bool {
            begun < other.ended ?? .max && other.begun < ended ?? .max
        }
    }

    package private(set) var requests: [Request] = []
    /// How many more came once the limits were reached.
    package private(set) var leftOut = 0
    private var moments = 0
    private var bytes = 0

    private static let limit = 50_000
    private static let limitBytes = 64 << 20
    private static let passing: Set<String> = ["hello", "isMaster", "ismaster", "ping", "getMore"]

    package init() {}

    /// Returns its number; nil when it is not kept.
    mutating func begin(_ command: BSONDocument) -> Int? {
        let name = command.firstName ?? ""
        if Self.passing.contains(name) { return nil }
        guard requests.count < Self.limit, bytes + command.bytes.count <= Self.limitBytes else {
            leftOut += 1
            return nil
        }
        moments += 1
        bytes += command.bytes.count
        requests.append(Request(name: name, command: command, begun: moments, ended: nil))
        return requests.count - 1
    }

    mutating func end(_ number: Int) {
        moments += 1
        if requests.indices.contains(number) { requests[number].ended = moments }
    }

    /// Those about this collection, also with its database named apart.
    package func about(_ place: Namespace) -> [Request] {
        requests.filter { request in
            let first = request.command.fields.first?.value.string
            return request.command["$db"]?.string == place.database && first == place.collection
                || request.name == "renameCollection"
                    && [first, request.command["to"]?.string].contains(place.description)
        }
    }
}
