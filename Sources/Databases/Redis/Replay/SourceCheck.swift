import Model
import Platform

/// Whether a live server is the one that the archive is of: a restore never writes over it.
///
/// A server that is in a history of the archive is. One that has left it may be the source, started
/// again or promoted since the archive last saw it, or a replica that was made a primary to be
/// filled; and a source that was started from its AOF says nothing of where it was before, as one
/// does that was filled from the archive (`ServedData`). Then the address tells, where a
/// configuration names the source's: what stands there with keys is the source. One without keys is
/// filled, unless it is in a history of the archive.
struct SourceCheck {
    let timelines: Set<TimelineID>
    /// Nil where no configuration names the source.
    let endpoint: RedisConfiguration.Endpoint?

    /// Nil where it is another; else what tells it, as a part of a sentence.
    ///
    /// - Parameter peer: the server's address in numbers.
    func proof(
        _ info: ServerInfo, _ place: RedisConfiguration.Endpoint, _ peer: String
    ) -> String? {
        if let history = info.history, has(history) {
            return "its replication id is the archive's, \(history)"
        }
        let hasLeft = info.olderHistory.map(has) ?? (info.history == nil)
        guard hasLeft || !info.keyCounts.isEmpty, isSourcePlace(place, peer) else { return nil }
        return hasLeft
            ? "it goes on with a history of the archive, at the address that the configuration has "
                + "for the source"
            : "it holds keys (\(info.keyCounts.joined(separator: ", "))) at the address that the "
                + "configuration has for the source, and nothing tells that they are not its own; "
                + "FLUSHALL there, if none of them is needed, lets it be filled"
    }

    private func has(_ history: String) -> Bool { timelines.contains(TimelineID(history)) }

    private func isSourcePlace(_ place: RedisConfiguration.Endpoint, _ peer: String) -> Bool {
        switch (endpoint, place) {
        case (.tcp(let host, let port), .tcp(let other, let otherPort)):
            port == otherPort
                && (HostAddress.isSame(host, other) || HostAddress.isSame(host, peer))
        case (.unix(let path), .unix(let other)): path == other
        default: false
        }
    }
}

extension SourceCheck {
    init(_ order: RestoreOrder) throws(TidemarkError) {
        timelines = order.origin.timelines
        endpoint = try order.origin.url.map { (url) throws(TidemarkError) in
            try RedisConfiguration(source: order.source, url: url).endpoint
        }
    }
}
