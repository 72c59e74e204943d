import Model

/// One document of the live feed: the status, and with each source what was archived of it since
/// the program started, so that a page can tell the throughput.
package struct LiveDocument: Sendable, Encodable {
    private struct Source: Encodable {
        enum CodingKeys: String, CodingKey { case total = "archived_bytes_total" }

        let status: SourceStatus
        let total: UInt64?

        func encode(to encoder: any Encoder) throws {
            try status.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(total, forKey: .total)
        }
    }

    private enum CodingKeys: String, CodingKey { case time, repository, sources }

    private let status: StatusDocument
    private let totals: [SourceID: UInt64]

    /// - Parameter view: asked for both at once.
    package init(_ view: any SidecarView) {
        self.init(view.status(), view)
    }

    /// For who has just asked for the status.
    package init(_ status: StatusDocument, _ view: any SidecarView) {
        self.status = status
        totals = Dictionary(
            view.counters().map { ($0.source, $0.values.archivedBytes) },
            uniquingKeysWith: { $1 })
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(status.time, forKey: .time)
        try container.encode(status.repository, forKey: .repository)
        try container.encode(
            status.sources.map { Source(status: $0, total: totals[$0.name]) }, forKey: .sources)
    }
}
