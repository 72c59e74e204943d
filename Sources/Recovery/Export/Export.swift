import Catalog
package import Model
import Platform
package import Repository
import Segments

/// Writes a stretch of the archive as plain files of the database's own formats. Blocking.
///
/// Nothing is read that is not verified, and a file has its name only when it is whole and durable.
package struct Export {
    let repository: ArchiveRepository
    let replayer: any Replayer
    private let progress: @Sendable (UInt64) -> Void

    /// The sidecar may seal a segment between listing and reading it; then planning starts again.
    private static let attempts = 5

    /// - Parameter progress: called with the bytes written so far.
    package init(
        _ repository: ArchiveRepository, _ replayer: any Replayer,
        progress: @escaping @Sendable (UInt64) -> Void = { _ in }
    ) {
        self.repository = repository
        self.replayer = replayer
        self.progress = progress
    }

    package func run(_ request: ExportRequest) throws(TidemarkError) -> ExportOutcome {
        try Self.check(request)
        var attempt = 1
        while true {
            do throws(TidemarkError) {
                let plan = try ExportPlan(request, repository, replayer)
                return try write(plan, request)
            } catch let error where error.code == .notFound && attempt < Self.attempts {
                attempt += 1
            }
        }
    }

    private static func check(_ request: ExportRequest) throws(TidemarkError) {
        try DestinationGuard(repository: request.repositoryFolder).check(request.destination)
        let names: [String]
        do throws(SystemFailure) {
            names = try Directory.names(in: request.destination)
        } catch let error where error.isAbsence {
            return
        } catch {
            throw error.asTidemarkError
        }
        guard names.isEmpty || request.force else {
            throw TidemarkError(
                .destinationOccupied, "\(request.destination) is not empty",
                remedy: "name an empty folder with --into, or add --force to write beside what is "
                    + "there, replacing files of the same names")
        }
    }

    private func write(
        _ plan: ExportPlan, _ request: ExportRequest
    ) throws(TidemarkError) -> ExportOutcome {
        let folder = try ExportFolder(request.destination, progress)
        do throws(TidemarkError) {
            return try write(plan, into: folder)
        } catch {
            folder.abandon()
            throw error
        }
    }

    private func write(
        _ plan: ExportPlan, into folder: ExportFolder
    ) throws(TidemarkError) -> ExportOutcome {
        let snapshot = plan.planner.snapshot
        if let backup = plan.backup { try write(backup, into: folder) }
        let order = StreamExportOrder(
            descriptor: snapshot.descriptor, timeline: plan.planner.path.timeline,
            first: plan.first, last: plan.last,
            state: plan.backup.map { replayer.state(of: $0.server) } ?? "")
        if plan.first == plan.last {
            // The base backup is itself what was asked for.
        } else if let stream = replayer.export(order) {
            try pour(plan, through: stream, into: folder)
        } else {
            try copySegments(plan, into: folder)
        }
        try folder.sync()
        return ExportOutcome(
            descriptor: snapshot.descriptor, timeline: plan.planner.path.timeline,
            first: plan.first, last: plan.last, backup: plan.backup?.id, files: folder.files,
            bytes: folder.bytes)
    }

    private func write(
        _ backup: BaseBackupDescriptor, into folder: ExportFolder
    ) throws(TidemarkError) {
        let reader = StoredFileReader(
            repository: repository, folder: Layout.backup(backup.source, backup.id))
        for stored in CopyPipeline.ordered(backup.files) {
            let file = try folder.create(Self.plainName(stored.name))
            try reader.read(stored) { (bytes) throws(TidemarkError) in
                try unsafe file.append(bytes.span.bytes)
            }
            try folder.finish(file)
        }
    }

    /// Without suffix and folders.
    private static func plainName(_ name: String) -> String {
        let plain = Compression(suffixOf: name).map { String(name.dropLast($0.suffix.count)) }
        return (plain ?? name).replacing("/", with: "-")
    }

    private func pour(
        _ plan: ExportPlan, through stream: any StreamExport, into folder: ExportFolder
    ) throws(TidemarkError) {
        let snapshot = plan.planner.snapshot
        let file = try folder.create(stream.name)
        let pour = StreamPour(
            repository: repository, source: snapshot.source, style: snapshot.style,
            path: plan.planner.path, chain: plan.chain, end: plan.last)
        try pour.run { (entries, state) in
            stream.index(entries, state: state)
        } take: { (bytes, first) throws(TidemarkError) in
            try stream.take(bytes, at: first) { (kept) throws(TidemarkError) in
                try file.append(kept)
            }
        }
        try file.cut(to: try stream.finish())
        try folder.finish(file)
    }
}
