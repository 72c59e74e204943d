/// What `check` learned about a server, before it is judged.
struct InspectFacts: Sendable {
    /// Present settings by name; missing when the role may not see them.
    var settings: [String: String] = [:]
    var version = 0
    var isSuperuser = false
    var mayReplicate = false
    var mayReadSettings = false
    var mayReadFiles = false
    var mayMark = false
    var isStandby = false
    /// Only what a replication connection tells is known.
    var isPartial = false
    /// Replication connections and slots that are not ours.
    var otherSenders = 0
    var otherSlots = 0
    /// Our slot; nil when it does not exist yet.
    var slot: Slot?
    /// Version of TimescaleDB in the database of the URL; nil without it.
    var timescale: String?
    /// Configuration files outside the data directory; nil when they cannot be known.
    var outsideFiles: [String]?

    struct Slot: Sendable {
        var type: String
        var process: Int?
        var holds: Bool
        /// `reserved`, `extended`, `unreserved`, `lost`.
        var status: String
        var safeBytes: Int64?
    }

    func number(_ name: String) -> Int? { settings[name].flatMap { Int($0) } }
    func isOff(_ name: String) -> Bool { settings[name] == "off" }
}

extension InspectFacts {
    /// Statements whose answers `init` reads, in this order. Units as in `pg_settings`.
    static func questions(_ configuration: PostgresConfiguration) -> String {
        let slot = SQL.literal(configuration.slot)
        return """
            SELECT name, setting FROM pg_settings WHERE name = ANY (ARRAY['wal_level',
                'max_wal_senders', 'max_replication_slots', 'max_slot_wal_keep_size',
                'idle_replication_slot_timeout', 'archive_mode', 'archive_command',
                'archive_library', 'full_page_writes', 'fsync', 'data_checksums',
                'synchronous_standby_names', 'wal_sender_timeout', 'shared_preload_libraries']);
            SELECT rolsuper, rolreplication,
                rolsuper OR pg_has_role(current_user, 'pg_read_all_settings', 'USAGE'),
                rolsuper OR (pg_has_role(current_user, 'pg_read_server_files', 'USAGE')
                    AND has_function_privilege('pg_read_binary_file(text)', 'EXECUTE')),
                has_function_privilege('pg_create_restore_point(text)', 'EXECUTE')
                FROM pg_roles WHERE rolname = current_user;
            SELECT (SELECT count(*) FROM pg_stat_replication WHERE application_name IS DISTINCT FROM
                    \(SQL.literal(configuration.applicationName))),
                (SELECT count(*) FROM pg_replication_slots WHERE slot_name <> \(slot));
            SELECT slot_type, active_pid, restart_lsn IS NOT NULL, coalesce(wal_status, ''),
                safe_wal_size FROM pg_replication_slots WHERE slot_name = \(slot);
            SELECT extversion FROM pg_extension WHERE extname = 'timescaledb';
            """
    }

    /// Settings that a replication connection is asked for, by SHOW.
    static let shown = [
        "wal_level", "max_wal_senders", "max_replication_slots", "max_slot_wal_keep_size",
        "archive_mode", "full_page_writes", "fsync", "data_checksums", "synchronous_standby_names",
    ]

    /// From SHOW, and the answer to READ_REPLICATION_SLOT where there is one (15+).
    init(version: Int, shown: [String: String], slot: ConnectionRows?) {
        self.version = version
        isPartial = true
        mayReplicate = true
        settings = shown
        // SHOW prints a unit, `pg_settings` megabytes.
        let limit = "max_slot_wal_keep_size"
        if let text = shown[limit], let bytes = ServerVersion.bytes(text) {
            settings[limit] = String(bytes >> 20)
        }
        if let slot, let type = slot.text(0, 0) {
            self.slot = Slot(
                type: type, process: nil, holds: slot.lsn(0, 1) != nil, status: "",
                safeBytes: nil)
        }
    }

    /// Nil when the answers are not those of `questions`.
    init?(version: Int, _ sets: [ConnectionRows]) {
        guard sets.count == 5 else { return nil }
        self.version = version
        for row in 0..<sets[0].count {
            guard let name = sets[0].text(row, 0) else { continue }
            settings[name] = sets[0].text(row, 1)
        }
        isSuperuser = sets[1].flag(0, 0) ?? false
        mayReplicate = isSuperuser || sets[1].flag(0, 1) ?? false
        mayReadSettings = sets[1].flag(0, 2) ?? false
        mayReadFiles = sets[1].flag(0, 3) ?? false
        mayMark = sets[1].flag(0, 4) ?? false
        otherSenders = sets[2].number(0, 0) ?? 0
        otherSlots = sets[2].number(0, 1) ?? 0
        if let type = sets[3].text(0, 0) {
            slot = Slot(
                type: type, process: sets[3].number(0, 1), holds: sets[3].flag(0, 2) ?? false,
                status: sets[3].text(0, 3) ?? "", safeBytes: sets[3].number(0, 4))
        }
        timescale = sets[4].text(0, 0)
    }
}
