/// Messages that wait for their receiver, oldest first. Pure.
///
/// When it is full the oldest is dropped: what is newest is what people need.
package struct AlertQueue: Sendable {
    /// Messages that may wait.
    package static let limit = 100

    private var waiting: [Alert] = []
    /// How many were dropped since this was last asked for.
    package private(set) var dropped = 0

    package init() {}

    package mutating func add(_ alert: Alert) {
        if waiting.count >= Self.limit {
            waiting.removeFirst()
            dropped += 1
        }
        waiting.append(alert)
    }

    /// The next one to send; it leaves the queue.
    package mutating func next() -> Alert? { waiting.isEmpty ? nil : waiting.removeFirst() }

    package mutating func takeDropped() -> Int {
        defer { dropped = 0 }
        return dropped
    }
}
