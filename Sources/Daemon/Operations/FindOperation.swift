package import Model
import Monitoring
import Recovery
import Repository

/// `find`: what took much away at once, ready for `restore --to before:ID`.
package struct FindOperation: Sendable {
    private let configuration: Configuration
    private let sources: [SourceID]
    private let moment: CommitTime?
    private let text: String?

    /// - Parameters:
    ///   - sources: empty for every source of the archive.
    ///   - moment: only events within an hour of it.
    ///   - text: only events whose action or place contains it, in either case.
    package init(
        _ configuration: Configuration, sources: [SourceID], around moment: CommitTime?,
        match text: String?
    ) {
        self.configuration = configuration
        self.sources = sources
        self.moment = moment
        self.text = text
    }

    package func run() throws(TidemarkError) -> FoundDocument {
        let repository = try configuration.repository.archive()
        try repository.open()
        let isNamed = !sources.isEmpty
        let wanted = isNamed ? sources : try repository.sources().map(\.source)
        var document = FoundDocument(events: [])
        for source in wanted {
            guard let descriptor = try repository.descriptor(source) else {
                throw TidemarkError(
                    .configuration, "the archive has no source \(source)",
                    remedy: "`tidemark list` shows what it has")
            }
            let replayer = try Rooms.replayer(descriptor.kind)
            // Of all sources those that can be searched; one that was named must be.
            let isSearchable = replayer.events(of: descriptor, on: TimelineID("")) != nil
            guard isSearchable || isNamed else { continue }
            let found = try EventFinder(repository, replayer).find(source, around: moment)
            let style = Rooms.style(descriptor)
            document.events += found.map { FoundEvent($0, source, style) }.filter(matches)
        }
        return document
    }

    private func matches(_ event: FoundEvent) -> Bool {
        guard let text else { return true }
        return "\(event.action) \(event.place)".lowercased().contains(text.lowercased())
    }
}
