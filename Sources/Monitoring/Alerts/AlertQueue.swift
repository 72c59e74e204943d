package import Model

/// Messages that wait for their receiver, oldest first. Pure.
///
/// When it is full the oldest is dropped: what is newest is what people need.
package struct AlertQueue: Sendable {
    /// Messages that may wait.
    package static let limit = 100

    private var waiting: [Alert] = []
    /// The one that is being sent.
    private var sending: Alert?
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
    package mutating func next() -> Alert? {
        sending = waiting.isEmpty ? nil : waiting.removeFirst()
        return sending
    }

    /// The one that was being sent has arrived, or was given up.
    package mutating func sent() { sending = nil }

    /// The newest message about this that its receiver does not have yet.
    package func untold(_ source: SourceID, _ event: AlertEvent) -> Alert? {
        ([sending].compactMap { $0 } + waiting).last { $0.source == source && $0.event == event }
    }

    package mutating func takeDropped() -> Int {
        defer { dropped = 0 }
        return dropped
    }
}
