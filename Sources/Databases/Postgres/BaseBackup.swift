package import Model
package import Platform

/// One base backup read with BASE_BACKUP over a connection of its own.
///
/// Conversation (manual, "Streaming Replication Protocol"; server: backup/basebackup.c): the start
/// row, the tablespace rows, then since 15 one copy stream whose messages say what they are, up to
/// 14 one copy stream per tablespace and one for the manifest; then the end row. Failed page
/// checksums come as an error after everything was sent: the backup is whole and is kept, flagged.
package final class BaseBackup: BaseBackupSource {
    private let configuration: PostgresConfiguration
    private let time: any TimeSource
    private var connection: Connection?
    private var survey = ServerSurvey()
    private var version = 0
    /// Oid and path of tablespaces by archive, in the server's order; up to 14 one stream each.
    private var tablespaces: [(oid: String?, path: String?)] = []
    /// Up to 14: the stream being read; the one after the last tablespace is the manifest.
    private var stream = -1

    /// Seconds for the checkpoint before the first byte; a spread one takes most of its interval.
    private static let checkpointSeconds = 7200.0
    /// Seconds without a byte in mid-stream after which the server counts as gone.
    private static let silenceSeconds = 300.0

    package init(_ configuration: PostgresConfiguration, time: any TimeSource) {
        self.configuration = configuration
        self.time = time
    }

    package func begin(label: String, fast: Bool) throws(TidemarkError) -> BaseBackupStart {
        close()
        survey = try ServerSurvey.take(configuration)
        let opened = try Connection(configuration, .replication)
        version = opened.serverVersion
        connection = consume opened
        let identity = try connection!.table("IDENTIFY_SYSTEM")
        let size = try connection!.table("SHOW wal_segment_size")
        guard let system = identity.text(0, 0),
            let bytes = size.text(0, 0).flatMap(ServerVersion.bytes)
        else { throw unexpected("no identity") }
        let command = Self.command(label, fast: fast, version: version)
        try connection!.send(command)
        let start = try rows(seconds: Self.checkpointSeconds)
        guard let position = start.lsn(0, 0), let timeline = start.text(0, 1) else {
            throw unexpected("no start position")
        }
        let list = try rows(seconds: 60)
        tablespaces = (0..<list.count).map { (list.text($0, 0), list.text($0, 1)) }
        let estimate = (0..<list.count).reduce(UInt64(0)) {
            $0 + (list.number($1, 2, as: UInt64.self) ?? 0) * 1024
        }
        stream = -1
        var facts = survey.facts
        facts.identity = system
        facts.version = String(version)
        return BaseBackupStart(
            descriptor: SourceDescriptor(
                source: configuration.source, kind: .postgres, identity: system,
                majorVersion: String(version / 10_000), segmentBytes: bytes,
                created: time.wall()),
            timeline: TimelineID(timeline), start: position, server: facts,
            configuration: survey.configuration, estimatedBytes: estimate)
    }

    package func close() { connection = nil }

    /// The command in the server's dialect; 15 dropped the old one.
    static func command(_ label: String, fast: Bool, version: Int) -> String {
        let label = SQL.literal(label)
        if version >= 150_000 {
            return "BASE_BACKUP (LABEL \(label), PROGRESS true, CHECKPOINT "
                + "'\(fast ? "fast" : "spread")', WAIT false, TABLESPACE_MAP true, "
                + "VERIFY_CHECKSUMS true, MANIFEST 'yes', MANIFEST_CHECKSUMS 'CRC32C')"
        }
        return "BASE_BACKUP LABEL \(label) PROGRESS \(fast ? "FAST " : "")NOWAIT TABLESPACE_MAP "
            + "MANIFEST 'yes' MANIFEST_CHECKSUMS 'CRC32C'"
    }
}

// MARK: content

extension BaseBackup {
    package func pull(
        into sink: any BaseBackupSink
    ) throws(TidemarkError) -> BaseBackupEnd? {
        guard connection != nil else {
            throw TidemarkError(.failed, "the base backup of \(configuration.source) is closed")
        }
        if stream < 0 { return try nextStream(sink) }
        let isLabelled = version >= 150_000
        while true {
            let taken = try connection!.takeCopy { (bytes) throws(TidemarkError) in
                if isLabelled { try take(bytes, sink) } else { try sink.append(bytes) }
            }
            switch taken {
            case .message: return nil
            case .ended: return try nextStream(sink)
            case .nothing:
                guard try connection!.wait(seconds: Self.silenceSeconds) == .ready else {
                    throw TidemarkError(
                        .sourceUnreachable,
                        "Postgres at \(configuration.place) stopped sending the base backup",
                        remedy: "see the server's log, then take the base backup again")
                }
            }
        }
    }

    /// A message of 15 and newer.
    private func take(_ message: RawSpan, _ sink: any BaseBackupSink) throws(TidemarkError) {
        switch try BaseBackupMessage(message) {
        case .archive(let name, let path):
            try sink.begin(file(name, path: path.isEmpty ? nil : path))
        case .data:
            let offset = BaseBackupMessage.dataOffset
            if message.byteCount > offset {
                try sink.append(message.extracting(offset..<message.byteCount))
            }
        case .manifest: try sink.begin(Self.manifest)
        case .progress: break
        }
    }

    private func file(_ name: String, path: String?) -> BaseBackupFile {
        guard let path else {
            return BaseBackupFile(name: name, role: .data, origin: nil, location: nil)
        }
        let oid = name.hasSuffix(".tar") ? String(name.dropLast(4)) : name
        return BaseBackupFile(name: name, role: .tablespace, origin: oid, location: path)
    }

    private static let manifest = BaseBackupFile(
        name: "backup_manifest", role: .manifest, origin: nil, location: nil)

    /// The next copy stream, or the end.
    private func nextStream(_ sink: any BaseBackupSink) throws(TidemarkError) -> BaseBackupEnd? {
        while true {
            switch try connection!.reply(seconds: Self.silenceSeconds) {
            case .copyOut:
                stream += 1
                if version < 150_000 { try sink.begin(legacyFile()) }
                return nil
            case .rows(let rows): return try end(rows)
            case .failed(let failure): throw refused(failure)
            case .done: continue
            case .none, .copyBoth, .copyIn: throw unexpected("no end position")
            }
        }
    }

    private func legacyFile() -> BaseBackupFile {
        guard tablespaces.indices.contains(stream) else { return Self.manifest }
        guard let oid = tablespaces[stream].oid else { return file("base.tar", path: nil) }
        return file(oid + ".tar", path: tablespaces[stream].path)
    }

    private func end(_ rows: ConnectionRows) throws(TidemarkError) -> BaseBackupEnd {
        guard let position = rows.lsn(0, 0) else { throw unexpected("no end position") }
        var warnings = survey.warnings
        while true {
            switch try connection!.reply(seconds: Self.silenceSeconds) {
            case .none:
                close()
                return BaseBackupEnd(position: position, warnings: warnings)
            case .failed(let failure) where failure.state == "XX001":
                warnings.append(
                    "page checksums failed: \(failure.message); the pages are in the backup as they are")
                warnings += connection!.takeNotices()
            case .failed(let failure): throw refused(failure)
            case .done, .rows, .copyBoth, .copyOut, .copyIn: continue
            }
        }
    }

    private func rows(seconds: Double) throws(TidemarkError) -> ConnectionRows {
        switch try connection!.reply(seconds: seconds) {
        case .rows(let rows): return rows
        case .failed(let failure): throw refused(failure)
        case .done, .none, .copyBoth, .copyOut, .copyIn: throw unexpected("another answer")
        }
    }

    private func refused(_ failure: ConnectionFailure) -> TidemarkError {
        failure.error(configuration.context(.replication, place: configuration.place))
    }

    private func unexpected(_ what: String) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "Postgres at \(configuration.place) answered BASE_BACKUP with \(what)",
            remedy: "see the server's log, then take the base backup again")
    }
}
