import Model
import Platform

/// One base backup by BASE_BACKUP on a replication connection of its own.
///
/// Owned by one thread. The tar bytes are lent on as libpq has them, without a copy.
final class BaseBackup: BaseBackupSource {
    private let configuration: PostgresConfiguration
    private let time: any TimeSource
    private var connection: Connection?
    private var machine: BaseBackupMachine
    private var warnings: [String] = []
    private var quiet: QuietTime

    /// Bytes after which a `pull` returns, so that the caller can look around.
    private static let pullBytes = 4 << 20
    /// Seconds without a byte after which the server counts as gone.
    private static let silenceSeconds = 600.0
    /// Seconds that the checkpoint at the start may take: `checkpoint_timeout` is a day at most.
    private static let fastSeconds = 1800.0
    private static let spreadSeconds = 90_000.0

    init(_ configuration: PostgresConfiguration, time: any TimeSource) {
        self.configuration = configuration
        self.time = time
        quiet = QuietTime(now: time.monotonic(), longestPause: Self.silenceSeconds / 20)
        machine = BaseBackupMachine(
            version: 0, configuration.context(.replication, place: configuration.place))
    }

    func close() { connection = nil }

    func begin(label: String, fast: Bool) throws(TidemarkError) -> BaseBackupStart {
        close()
        let facts = try BaseBackupFacts.gather(configuration)
        warnings = facts.warnings
        do throws(TidemarkError) {
            let fresh = try Connection(configuration, .replication)
            let version = fresh.serverVersion
            let context = configuration.context(.replication, place: fresh.place)
            let descriptor = try introduce(fresh, version, context, facts)
            let settings = facts.settings.isEmpty ? try shownSettings(fresh) : facts.settings
            machine = BaseBackupMachine(version: version, context)
            connection = consume fresh
            let header = try start(label: label, fast: fast, version: version)
            return BaseBackupStart(
                descriptor: descriptor, timeline: TimelineID(postgres: header.timeline),
                start: header.start,
                server: ServerFacts(
                    identity: descriptor.identity, version: String(version), settings: settings,
                    extensions: facts.extensions),
                configuration: facts.configuration, estimatedBytes: header.estimatedBytes)
        } catch {
            close()
            throw error
        }
    }

    /// Checks that both connections met one and the same primary.
    private func introduce(
        _ fresh: borrowing Connection, _ version: Int, _ context: ConnectionFailure.Context,
        _ facts: BaseBackupFacts
    ) throws(TidemarkError) -> SourceDescriptor {
        try ServerVersion.check(version, context)
        let system = try fresh.rows("IDENTIFY_SYSTEM")
        let size = try fresh.rows("SHOW wal_segment_size")
        if try ServerVersion.isStandby(fresh) { throw ServerVersion.standby(context) }
        guard let identity = system.first?.text(0, 0),
            let bytes = size.first?.text(0, 0).flatMap({ ServerVersion.bytes($0) })
        else {
            throw TidemarkError(
                .sourceUnreachable, "Postgres at \(context.place) does not identify itself",
                remedy: "make sure that the URL names a Postgres server, not a connection pooler")
        }
        if let other = facts.identity, other != identity {
            throw TidemarkError(
                .sourceIdentityChanged,
                "the hosts of source \(configuration.source) are different clusters "
                    + "(system identifiers \(identity), \(other))",
                remedy: "name only the hosts of one cluster in the URL")
        }
        return SourceDescriptor(
            source: configuration.source, kind: .postgres, identity: identity,
            majorVersion: String(version / 10_000), segmentBytes: bytes, created: time.wall())
    }

    /// The settings by SHOW, where no SQL login is to be had; those not shown are left out.
    private func shownSettings(
        _ fresh: borrowing Connection
    ) throws(TidemarkError) -> [String: String] {
        var settings: [String: String] = [:]
        for name in BaseBackupFacts.settingNames {
            for case .rows(let rows) in try fresh.ask("SHOW \(SQL.quoted(name))") {
                settings[name] = rows.text(0, 0)
            }
        }
        return settings
    }

    private func start(
        label: String, fast: Bool, version: Int
    ) throws(TidemarkError) -> BaseBackupMachine.Header {
        try connection!.send(
            BaseBackupMachine.command(label: label, fast: fast, version: version))
        while true {
            let reply = try connection!.reply(
                seconds: fast ? Self.fastSeconds : Self.spreadSeconds)
            switch try machine.take(reply) {
            case .next: continue
            case .started(let header):
                quiet.heard(time.monotonic())
                return header
            case .stream, .ended:
                preconditionFailure("a base backup neither ends nor goes on before it starts")
            }
        }
    }
}

// MARK: reading

extension BaseBackup {
    func pull(into sink: any BaseBackupSink) throws(TidemarkError) -> BaseBackupEnd? {
        guard connection != nil else {
            throw TidemarkError(
                .failed, "the base backup of \(configuration.source) is not running")
        }
        do throws(TidemarkError) {
            return try pulled(sink)
        } catch {
            close()
            throw error
        }
    }

    private func pulled(_ sink: any BaseBackupSink) throws(TidemarkError) -> BaseBackupEnd? {
        if let file = machine.takePendingFile() { try sink.begin(file) }
        var bytes = 0
        while bytes < Self.pullBytes {
            let now = time.monotonic()
            let taken = try connection!.takeCopy { (message) throws(TidemarkError) in
                bytes += message.byteCount
                switch try machine.take(message) {
                case .file(let file): try sink.begin(file)
                case .content(let offset):
                    guard message.byteCount > offset else { return }
                    try sink.append(message.extracting(droppingFirst: offset))
                case .nothing: break
                }
            }
            switch taken {
            case .message: continue
            case .ended:
                let closing = machine.closing
                if !closing.isEmpty { try sink.append(unsafe closing.span.bytes) }
                return try streamEnded()
            case .nothing:
                if bytes > 0 { quiet.heard(now) }
                quiet.looked(now)
                try checkSilence()
                if try connection!.wait(seconds: 1) != .ready { return nil }
            }
        }
        quiet.heard(time.monotonic())
        return nil
    }

    private func checkSilence() throws(TidemarkError) {
        guard quiet.seconds > Self.silenceSeconds else { return }
        throw TidemarkError(
            .sourceUnreachable,
            "the base backup of \(configuration.source) brought nothing for "
                + "\(Self.silenceSeconds) s",
            remedy: "see whether the server's disk or the network hangs, then take it again")
    }

    /// What follows a stream: the next one, or the end.
    private func streamEnded() throws(TidemarkError) -> BaseBackupEnd? {
        while true {
            switch try machine.take(try connection!.reply(seconds: Self.fastSeconds)) {
            case .next: continue
            case .stream: return nil
            case .started: preconditionFailure("a base backup starts once")
            case .ended(let position):
                let notices = BackupNotices(connection!.takeNotices())
                let complaint = machine.complaint.map { [$0] } ?? []
                let end = BaseBackupEnd(
                    position: position, warnings: warnings + complaint + notices.warnings,
                    remarks: notices.remarks)
                close()
                return end
            }
        }
    }
}
