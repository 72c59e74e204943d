import Model
import Platform

/// The side connection of one server: proofs, findings, marks.
///
/// Speaks SQL where the role may log in to the URL's database; else it asks by IDENTIFY_SYSTEM on a
/// replication connection, which tells the flush position and no time.
final class Inspector: SourceInspector {
    private let configuration: PostgresConfiguration
    private let time: any TimeSource
    private var connection: Connection?
    /// What is known of the server behind the connection; nil on a replication connection.
    private var server: Server?
    private var window = InspectWindow()
    private var pause = Pause()

    /// Seconds for an answer; a proof that takes longer is worth little.
    private static let answerSeconds = 10.0

    private struct Server {
        var identity: String
        var segmentBytes: UInt64
        var pageBytes: UInt64
        var bound: InspectBound
    }

    init(_ configuration: PostgresConfiguration, time: any TimeSource) {
        self.configuration = configuration
        self.time = time
    }

    func close() {
        connection = nil
        server = nil
    }

    /// Runs one question; after any failure the connection is gone and the next one connects anew.
    private func asking<Answer>(
        _ question: () throws(TidemarkError) -> Answer
    ) throws(TidemarkError) -> Answer {
        do throws(TidemarkError) {
            try connect()
            return try question()
        } catch {
            close()
            throw error
        }
    }
}

// MARK: connecting

extension Inspector {
    /// Slows down attempts that fail: a refused login every second fills the server's log.
    private struct Pause {
        var error: TidemarkError?
        var until = MonotonicTime(nanoseconds: 0)
        private var seconds = 0.0

        mutating func failed(_ error: TidemarkError, _ now: MonotonicTime) {
            seconds = min(max(0.5, seconds * 2), error.code == .sourceRefused ? 30 : 5)
            self.error = error
            until = now.advanced(bySeconds: seconds)
        }
    }

    private func connect() throws(TidemarkError) {
        guard connection == nil else { return }
        let now = time.monotonic()
        if let error = pause.error, now < pause.until { throw error }
        do throws(TidemarkError) {
            try connectAnew()
            pause = Pause()
        } catch {
            pause.failed(error, time.monotonic())
            throw error
        }
    }

    private func connectAnew() throws(TidemarkError) {
        let fresh: Connection
        do throws(TidemarkError) {
            fresh = try Connection(configuration, .sql())
        } catch {
            // Only where this login is not admitted may the other kind be.
            guard error.code == .sourceRefused else { throw error }
            return try connectForReplication(orThrow: error)
        }
        server = try introduce(fresh)
        connection = consume fresh
    }

    private func connectForReplication(
        orThrow refusal: TidemarkError
    ) throws(TidemarkError) {
        let fresh: Connection
        do throws(TidemarkError) {
            fresh = try Connection(configuration, .replication)
        } catch {
            throw refusal
        }
        let context = configuration.context(.replication, place: fresh.place)
        try ServerVersion.check(fresh.serverVersion, context)
        if try ServerVersion.isStandby(fresh) { throw ServerVersion.standby(context) }
        connection = consume fresh
    }

    /// Checks a new SQL connection and learns what stays true as long as it lives.
    private func introduce(_ fresh: borrowing Connection) throws(TidemarkError) -> Server {
        let context = configuration.context(.sql(), place: fresh.place)
        try ServerVersion.check(fresh.serverVersion, context)
        // Each statement shall see its own snapshot, whatever the role's defaults are.
        let sets = try fresh.rows(
            """
            SET default_transaction_isolation = 'read committed';
            SET statement_timeout = '60s';
            SELECT pg_is_in_recovery();
            SELECT system_identifier FROM pg_control_system();
            SELECT current_setting('wal_segment_size'), current_setting('wal_block_size');
            """)
        guard sets.count == 3, let inRecovery = sets[0].flag(0, 0),
            let identity = sets[1].text(0, 0),
            let segmentBytes = sets[2].text(0, 0).flatMap({ ServerVersion.bytes($0) }),
            let pageBytes: UInt64 = sets[2].number(0, 1), pageBytes > 0
        else { throw unreadable(fresh.place) }
        if inRecovery { throw ServerVersion.standby(context) }
        return Server(
            identity: identity, segmentBytes: segmentBytes, pageBytes: pageBytes,
            bound: InspectBound(segmentBytes: segmentBytes, pageBytes: pageBytes))
    }

    private func unreadable(_ place: String) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "Postgres at \(place) gave an answer that makes no sense",
            remedy: "make sure that the URL names a Postgres server, not a connection pooler")
    }
}

// MARK: proofs

extension Inspector {
    func probe() throws(TidemarkError) -> Probe {
        try asking { () throws(TidemarkError) in
            if server == nil { return try probeByReplication() }
            return try probeBySQL()
        }
    }

    /// The statements run one after the other: clock, then snapshot and prepared
    /// transactions, then positions.
    private func probeBySQL() throws(TidemarkError) -> Probe {
        let asked = time.monotonic()
        let askedWall = time.wall()
        let sets = try connection!.rows(Self.question(configuration), seconds: Self.answerSeconds)
        let answered = time.monotonic()
        guard sets.count == 3, let clock: Int64 = sets[0].number(0, 0),
            let snapshot = sets[1].text(0, 0), let prepared = sets[1].text(0, 1),
            let flushed = sets[2].lsn(0, 0),
            let insert = sets[2].lsn(0, 1), let file = sets[2].text(0, 2),
            let timeline = UInt32(file.prefix(8), radix: 16)
        else { throw unreadable(configuration.place) }
        window.saw(insert, answered)
        let bound = server!.bound.bound(
            snapshot: snapshot, prepared: prepared, insert: insert)
        return Probe(
            timeline: TimelineID(postgres: timeline), bound: bound,
            sourceTime: CommitTime(microseconds: clock), asked: asked, askedWall: askedWall,
            answered: answered, flushed: min(flushed, bound), isWaitedFor: sets[2].flag(0, 3),
            identity: server!.identity, end: insert)
    }

    /// The name of the present WAL file carries the timeline that is written now; pg_control's lags
    /// behind a promotion until the next checkpoint.
    private static func question(_ configuration: PostgresConfiguration) -> String {
        """
        SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
        SELECT pg_current_snapshot(),
            (SELECT concat_ws(' ', count(*), max(prepared), sum(hashtextextended(gid, 0)))
                FROM pg_prepared_xacts);
        SELECT pg_current_wal_flush_lsn(), pg_current_wal_insert_lsn(),
            pg_walfile_name(pg_current_wal_insert_lsn()),
            (SELECT bool_or(sync_state IN ('sync', 'quorum')) FROM pg_stat_replication
                WHERE application_name = \(SQL.literal(configuration.applicationName)))
        """
    }

    /// The flush position: everything that was durable at the server before the question. Commits
    /// with `synchronous_commit = off` of the last fraction of a second are not covered by it.
    private func probeByReplication() throws(TidemarkError) -> Probe {
        let asked = time.monotonic()
        let askedWall = time.wall()
        let sets = try connection!.rows("IDENTIFY_SYSTEM", seconds: Self.answerSeconds)
        guard let rows = sets.first, let identity = rows.text(0, 0),
            let timeline: UInt32 = rows.number(0, 1), let flushed = rows.lsn(0, 2)
        else { throw unreadable(configuration.place) }
        return Probe(
            timeline: TimelineID(postgres: timeline), bound: flushed, sourceTime: nil,
            asked: asked, askedWall: askedWall, answered: time.monotonic(), flushed: flushed,
            identity: identity, end: flushed)
    }

    func sourceWindow() throws(TidemarkError) -> SourceWindow? {
        try asking { () throws(TidemarkError) in
            guard server != nil else { return nil }
            let sets = try connection!.rows(
                "SELECT wal_status, safe_wal_size FROM pg_replication_slots WHERE slot_name = "
                    + SQL.literal(configuration.slot), seconds: Self.answerSeconds)
            guard let rows = sets.first, rows.count == 1 else { return nil }
            return window.window(status: rows.text(0, 0) ?? "", safeBytes: rows.number(0, 1))
        }
    }
}

// MARK: marks

extension Inspector {
    func mark(_ name: String) throws(TidemarkError) -> RestorePoint {
        guard (1...RestorePointRecord.nameBytes).contains(name.utf8.count) else {
            throw TidemarkError(
                .usage, "\(name) is too long for the name of a restore point",
                remedy: "use at most \(RestorePointRecord.nameBytes) bytes")
        }
        return try asking { () throws(TidemarkError) in
            guard let server else {
                throw TidemarkError(
                    .sourceRefused,
                    "\(configuration.user) may not log in to database \(configuration.database) at "
                        + "\(configuration.place), which a restore point needs",
                    remedy: "GRANT CONNECT ON DATABASE \(SQL.name(configuration.database)) TO "
                        + "\(SQL.name(configuration.user)), and add a line for it to pg_hba.conf")
            }
            return try mark(name, server)
        }
    }

    private func mark(_ name: String, _ server: Server) throws(TidemarkError) -> RestorePoint {
        let replies = try connection!.ask(
            """
            SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
            SELECT lsn, pg_walfile_name(lsn)
                FROM pg_create_restore_point(\(SQL.literal(name))) AS lsn
            """, seconds: Self.answerSeconds)
        // The record ends no transaction: the next probe has to ask for it all the same.
        self.server?.bound.forget()
        var sets: [ConnectionRows] = []
        for reply in replies {
            if case .failed(let failure) = reply { throw markError(failure) }
            if case .rows(let rows) = reply { sets.append(rows) }
        }
        guard sets.count == 2, let clock: Int64 = sets[0].number(0, 0),
            let end = sets[1].lsn(0, 0), let file = sets[1].text(0, 1),
            let timeline = UInt32(file.prefix(8), radix: 16)
        else { throw unreadable(configuration.place) }
        return RestorePoint(
            name: name, timeline: TimelineID(postgres: timeline),
            position: RestorePointRecord.start(
                end: end, segmentBytes: server.segmentBytes, pageBytes: server.pageBytes),
            time: CommitTime(microseconds: clock), end: end)
    }

    private func markError(_ failure: ConnectionFailure) -> TidemarkError {
        guard failure.state == "42501" else { return connection!.error(failure) }
        return TidemarkError(
            .sourceRefused,
            "role \(configuration.user) of Postgres at \(configuration.place) may not make restore "
                + "points",
            remedy: "GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO "
                + SQL.name(configuration.user) + "; -- in database \(configuration.database)")
    }
}

// MARK: first contact

extension Inspector {
    /// The slot keeps WAL for whoever confirmed up to its position, and the archiver has handed WAL
    /// to a `wal push` that knew where to put it.
    func claim() throws(TidemarkError) -> TidemarkError? {
        try asking { () throws(TidemarkError) in
            if let claim = try slotClaim() { return claim }
            return try archiverClaim()
        }
    }

    private func slotClaim() throws(TidemarkError) -> TidemarkError? {
        // A name that somebody chose may be that of a slot made beforehand.
        guard configuration.isSlotByDefault else { return nil }
        let rows = try connection!.slot(
            configuration.slot, bySQL: server != nil, seconds: Self.answerSeconds)
        guard let rows, rows.count == 1, rows.text(0, 0) == "physical", rows.lsn(0, 1) != nil
        else { return nil }
        return StreamMachine.claimed(
            configuration.context(.replication, place: configuration.place), configuration.source)
    }

    private func archiverClaim() throws(TidemarkError) -> TidemarkError? {
        guard server != nil else { return nil }
        let rows = try connection!.rows(
            "SELECT last_archived_wal FROM pg_stat_archiver WHERE last_archived_wal IS NOT NULL"
                + " AND current_setting('archive_mode') <> 'off'"
                + " AND current_setting('archive_command') ~ 'tidemark.* push'",
            seconds: Self.answerSeconds
        ).first
        guard let last = rows?.text(0, 0) else { return nil }
        return TidemarkError(
            .sourceRefused,
            "archive_command of Postgres at \(configuration.place) has stored WAL of "
                + "\(configuration.source) up to \(last) in another archive: this one is empty",
            remedy: "mount or name the repository that it was archived to; if this is to be a new "
                + "archive: SELECT pg_stat_reset_shared('archiver')")
    }
}

extension Connection {
    /// Type and position of a slot; nil where this connection cannot say.
    fileprivate func slot(
        _ name: String, bySQL: Bool, seconds: Double
    ) throws(TidemarkError) -> ConnectionRows? {
        if bySQL {
            return try rows(
                "SELECT slot_type, restart_lsn FROM pg_replication_slots WHERE slot_name = "
                    + SQL.literal(name), seconds: seconds
            ).first
        }
        guard serverVersion >= 150_000 else { return nil }
        return try rows("READ_REPLICATION_SLOT \(SQL.quoted(name))", seconds: seconds).first
    }
}

// MARK: findings

extension Inspector {
    /// Opens connections of its own, since what is wrong may be the login itself.
    func check() throws(TidemarkError) -> [Finding] {
        try InspectCheck(configuration: configuration).findings()
    }
}
