import Model
import Platform
import TestKit

@testable import Mongo

/// A base backup and entries behind it on their way into a copy, without an archive between.
struct CopyRun {
    let base: BaseBackupRun
    let entries: [[UInt8]]
    let version: String

    private func order(server: String?, folder: String) throws -> RestoreOrder {
        guard let source = SourceID("lessons") else { preconditionFailure("a name") }
        let moment = CommitTime(microseconds: 0)
        let timeline = TimelineID("set")
        let last = try entries.last.flatMap { try BSONDocument($0)["ts"]?.timestamp?.ordinal }
        return RestoreOrder(
            source: source,
            descriptor: SourceDescriptor(
                source: source, kind: .mongodb, identity: "set", majorVersion: "6.0",
                segmentBytes: MongoRoom.segmentBytes, created: moment),
            backup: BaseBackupDescriptor(
                id: "base", source: source, kind: .mongodb, timeline: timeline,
                start: base.start, end: base.end, started: moment, finished: moment, bytes: 0,
                storedBytes: 0, files: [], server: ServerFacts(identity: "set", version: version),
                warnings: []),
            destination: folder, relocations: [:], timeline: timeline,
            stop: last.map { RecoveryStop(last: $0, end: $0, time: nil) }, fetchCommand: "",
            programs: [], force: false, starts: false, server: server)
    }

    /// The same calls as a restore makes: what describes comes before what is described.
    @discardableResult
    func run(server: String? = nil, folder: String = "") throws -> any Restoration {
        let copy = try MongoReplayer().restoration(order(server: server, folder: folder))
        if !copy.isComplete { try fill(copy) }
        try copy.conclude()
        return copy
    }

    private func fill(_ copy: any Restoration) throws {
        try copy.begin()
        let files =
            base.begun.filter { $0.role == .configuration }
            + base.begun.filter { $0.role != .configuration }
        for file in files {
            let bytes = base.files[file.name] ?? []
            try copy.open(
                StoredFile(
                    name: file.name + ".lz4", role: file.role, origin: file.origin, location: nil,
                    bytes: UInt64(bytes.count), storedBytes: 0, storedSHA256: ""))
            try copy.write(bytes.span.bytes)
            try copy.close()
        }
        let stream = entries.flatMap { $0 }
        try copy.stream(stream.span.bytes, at: base.start)
        try copy.complete()
    }
}
