package import Model
import Monitoring
import Recovery
import Repository

/// `export`: plain native files of a stretch of the archive.
package struct ExportOperation: Sendable {
    private let configuration: Configuration
    private let source: SourceID
    private let start: RecoveryTarget?
    private let end: RecoveryTarget
    private let timeline: TimelineID?
    private let folder: String
    private let force: Bool
    private let progress: any ProgressObserver

    /// - Parameters:
    ///   - start: nil for a base backup and everything behind it.
    ///   - timeline: nil for the one the source is on.
    ///   - folder: as given, perhaps relative.
    package init(
        _ configuration: Configuration, source: SourceID, from start: RecoveryTarget?,
        to end: RecoveryTarget, timeline: TimelineID?, into folder: String, force: Bool,
        progress: any ProgressObserver
    ) {
        self.configuration = configuration
        self.source = source
        self.start = start
        self.end = end
        self.timeline = timeline
        self.folder = folder
        self.force = force
        self.progress = progress
    }

    package func run() throws(TidemarkError) -> ExportReport {
        let repository = try configuration.repository.archive()
        try repository.open()
        guard let descriptor = try repository.descriptor(source) else {
            throw TidemarkError(
                .configuration, "the archive at \(repository.store.url) has no source \(source)",
                remedy: "`tidemark list` shows what it has")
        }
        let request = ExportRequest(
            source: source, start: start, end: end, timeline: timeline,
            destination: try OwnProgram.absolute(folder),
            repositoryFolder: configuration.repository.folder,
            force: force)
        progress.began("exporting \(source)", total: nil)
        var isDone = false
        defer { progress.ended(isDone: isDone) }
        let progress = progress
        let export = Export(repository, try Rooms.replayer(descriptor.kind)) {
            progress.advanced(to: $0)
        }
        let report = ExportReport(try export.run(request), Rooms.style(descriptor))
        isDone = true
        return report
    }
}
