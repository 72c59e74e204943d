import Catalog
package import Model
package import Monitoring
import Platform
import Repository

/// `status`: how every source stands, read from the archive and its watermarks.
package struct StatusOperation: Sendable {
    private let configuration: Configuration
    private let time = SystemTimeSource()

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// The state at this moment; called again and again by `--watch`.
    package func run() throws(TidemarkError) -> StatusDocument {
        let repository = try configuration.repository.archive()
        try repository.open()
        var sources: [SourceStatus] = []
        for source in configuration.sources { sources.append(try status(source, repository)) }
        return StatusDocument(
            time: time.wall(), repository: repository.store.url, state: "ok", sources: sources)
    }

    private func status(
        _ source: SourceConfiguration, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> SourceStatus {
        let rpo = source.rpo.inSeconds
        guard let descriptor = try repository.descriptor(source.name) else {
            return SourceStatus(
                name: source.name, kind: source.kind, state: .stopped, timeline: nil,
                receivedPosition: nil, archivedPosition: nil, restorableTo: nil,
                exposureSeconds: nil, rpoSeconds: rpo, recoveryWindows: [], gaps: [],
                lastBackup: nil, sourceWindow: nil, reason: "nothing is archived yet")
        }
        let style = Rooms.style(descriptor)
        let mark = try repository.watermark(source.name)
        let snapshot = try CatalogReader(repository, try Rooms.replayer(descriptor.kind))
            .read(source.name)
        let (state, reason) = state(mark)
        return SourceStatus(
            name: source.name, kind: source.kind, state: state, timeline: mark?.timeline,
            receivedPosition: mark.map { style.text($0.received) },
            archivedPosition: mark.map { style.text($0.archived) },
            restorableTo: mark?.restorableTo, exposureSeconds: exposure(mark), rpoSeconds: rpo,
            recoveryWindows: snapshot.windows().map { SourceStatus.Window($0) },
            gaps: snapshot.gaps.map { SourceStatus.GapStatus($0, style) },
            lastBackup: snapshot.backups.last.map(SourceStatus.LastBackup.init),
            sourceWindow: mark?.sourceWindow, reason: reason)
    }

    /// What the sidecar last said of itself, unless it has stopped saying anything.
    private func state(_ mark: Watermark?) -> (StreamState, String) {
        guard let mark else { return (.stopped, "nothing is proved yet") }
        guard mark.state != .stopped else { return (.stopped, "`tidemark run` was stopped") }
        guard mark.isLive(time.wall()) else {
            return (
                .stopped,
                "no sidecar has reported since \(mark.written): it has ended, or cannot write to "
                    + "the repository (its log says why)"
            )
        }
        return (mark.state, mark.reason)
    }

    /// By the wall clock, which is all that two processes share; never negative.
    private func exposure(_ mark: Watermark?) -> Double? {
        guard let proved = mark?.provedAt, mark?.restorableTo != nil else { return nil }
        return max(0, time.wall().seconds(since: proved))
    }
}
