import Model

/// Judges a server's settings and privileges; every finding carries the statement that mends it.
/// Pure.
struct InspectFindings: Sendable {
    let facts: InspectFacts
    let configuration: PostgresConfiguration

    private static let restart = "; -- then restart the server"
    private static let reload = "; SELECT pg_reload_conf();"
    /// One WAL sender for the stream, one for a base backup, one for questions.
    private static let senders = 3

    private var role: String { SQL.name(configuration.user) }

    /// All of them, most important first.
    var all: [Finding] {
        if facts.isPartial { return partial }
        return [
            standby, version, walLevel, replicationRole, walSenders, slots, slot, slotLimit,
            slotTimeout,
            synchronous, archiving, timeout, fsync, fullPages, checksums, restorePoints,
            settingsPrivilege, filePrivilege, timescale,
        ].compactMap { $0 }
    }

    /// What can be judged without SQL: nobody else's connections and slots are known then.
    private var partial: [Finding] {
        [
            standby, version, walLevel, replicationRole, walSenders,
            facts.version >= 150_000 ? slot : nil, slotLimit, synchronous, archiving, fsync,
            fullPages, checksums,
        ].compactMap { $0 }
    }

    var standby: Finding? {
        guard facts.isStandby else { return nil }
        let error = ServerVersion.standby(
            configuration.context(.replication, place: configuration.place))
        return Finding(.error, error.message, remedy: error.remedy)
    }

    var version: Finding {
        let text = ServerVersion.text(facts.version)
        guard facts.version / 10_000 > ServerVersion.newestMajor else {
            return Finding(.ok, "Postgres \(text)")
        }
        return Finding(
            .warning,
            "Postgres \(text) is newer than this Tidemark knows: WAL is archived as it is, but its "
                + "commits are not indexed, so that no time can be restored to",
            remedy: "upgrade Tidemark")
    }

    var walLevel: Finding {
        let level = facts.settings["wal_level"] ?? "unknown"
        guard level == "minimal" else { return Finding(.ok, "wal_level is \(level)") }
        return Finding(
            .error, "wal_level is minimal: nothing can be archived",
            remedy: "ALTER SYSTEM SET wal_level = 'replica'" + Self.restart)
    }

    var replicationRole: Finding {
        facts.mayReplicate
            ? Finding(.ok, "role \(configuration.user) may replicate")
            : Finding(
                .error, "role \(configuration.user) may not replicate",
                remedy: "ALTER ROLE \(role) REPLICATION")
    }

    var walSenders: Finding {
        let limit = facts.number("max_wal_senders") ?? 0
        let free = limit - facts.otherSenders
        let wanted = facts.otherSenders + Self.senders
        guard free < Self.senders else {
            return Finding(.ok, "max_wal_senders is \(limit), \(facts.otherSenders) used by others")
        }
        return Finding(
            free < 1 ? .error : .warning,
            "max_wal_senders is \(limit) and \(facts.otherSenders) are in use: stream, base "
                + "backup and questions need \(Self.senders)",
            remedy: "ALTER SYSTEM SET max_wal_senders = \(max(10, wanted + 2))" + Self.restart)
    }

    var slots: Finding? {
        let limit = facts.number("max_replication_slots") ?? 0
        guard facts.slot == nil, limit <= facts.otherSlots else { return nil }
        return Finding(
            .error,
            "all \(limit) replication slots are taken (max_replication_slots)",
            remedy: "ALTER SYSTEM SET max_replication_slots = \(max(10, limit + 5))" + Self.restart
                + ", or drop an unused slot: SELECT pg_drop_replication_slot('…')")
    }

    var slot: Finding {
        let name = configuration.slot
        guard let slot = facts.slot else {
            return Finding(
                .ok, "replication slot \(name) does not exist yet; the first run makes it")
        }
        let drop = "SELECT pg_drop_replication_slot(\(SQL.literal(name)))"
        if slot.type != "physical" {
            return Finding(
                .error, "replication slot \(name) is a logical slot of somebody else", remedy: drop)
        }
        if slot.status == "lost" || !slot.holds {
            return Finding(
                .warning,
                "slot \(name) keeps no WAL (\(slot.status.isEmpty ? "empty" : slot.status)): "
                    + "what was not archived before is lost",
                remedy:
                    "nothing to do: the next run makes the slot anew, records the gap and takes "
                    + "a base backup")
        }
        if slot.status == "unreserved" {
            return Finding(
                .warning, "replication slot \(name) is about to lose its WAL",
                remedy: "start `tidemark run` now, or raise max_slot_wal_keep_size")
        }
        let user = slot.process.map { "in use by process \($0)" } ?? "not in use"
        return Finding(.ok, "replication slot \(name) exists, \(user)")
    }

    var slotLimit: Finding? {
        guard let limit = facts.number("max_slot_wal_keep_size") else { return nil }
        guard limit >= 0 else {
            return Finding(
                .warning,
                "max_slot_wal_keep_size is -1: while Tidemark is away all WAL is kept until "
                    + "its disk is full and it stops",
                remedy:
                    "ALTER SYSTEM SET max_slot_wal_keep_size = '64GB'" + Self.reload
                    + " -- as much as the disk of pg_wal can spare")
        }
        let room = facts.slot?.safeBytes.map { ", \(ByteCount(UInt64(max(0, $0)))) left now" } ?? ""
        return Finding(
            .ok, "the slot keeps up to \(ByteCount.mebibytes(UInt64(limit))) of WAL\(room)")
    }

    var slotTimeout: Finding? {
        guard let minutes = facts.number("idle_replication_slot_timeout"), minutes > 0 else {
            return nil
        }
        return Finding(
            .warning,
            "idle_replication_slot_timeout is set: a Tidemark that is away for long loses its slot "
                + "although the disk has room",
            remedy: "ALTER SYSTEM SET idle_replication_slot_timeout = 0" + Self.reload)
    }

    var synchronous: Finding? {
        let names = SyncStandbyNames(facts.settings["synchronous_standby_names"] ?? "")
        let name = configuration.applicationName
        guard names.contains(name) else { return nil }
        guard names.needs(name) else {
            return Finding(.ok, "commits may wait for \(name) (synchronous_standby_names)")
        }
        return Finding(
            .warning,
            "synchronous_standby_names needs \(name): all writes stop while Tidemark is away",
            remedy: "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (\(SQL.quoted(name)), "
                + "your_standby)'" + Self.reload)
    }

    /// The command itself is not shown: it may hold secrets.
    var archiving: Finding? {
        guard let mode = facts.settings["archive_mode"], mode != "off" else { return nil }
        let isSet = ["archive_command", "archive_library"].contains {
            facts.settings[$0].map { !$0.isEmpty && $0 != "(disabled)" } ?? false
        }
        if isSet {
            return Finding(
                .ok,
                "archive_mode is \(mode): WAL goes to another archive as well, which does no harm")
        }
        return Finding(
            .warning, "archive_mode is \(mode) without archive_command: the server keeps all WAL",
            remedy: "ALTER SYSTEM SET archive_mode = 'off'" + Self.restart)
    }

    var timeout: Finding? {
        guard let limit = facts.number("wal_sender_timeout"), limit < 20_000 else { return nil }
        if limit == 0 {
            return Finding(
                .warning,
                "wal_sender_timeout is 0: after a cut network the server believes in the old "
                    + "connection, and the slot stays in use",
                remedy: "ALTER SYSTEM SET wal_sender_timeout = '60s'" + Self.reload)
        }
        return Finding(
            .warning,
            "wal_sender_timeout is \(limit) ms: a slow flush of the repository ends the stream",
            remedy: "ALTER SYSTEM SET wal_sender_timeout = '60s'" + Self.reload)
    }
}

// MARK: soundness of the data, privileges

extension InspectFindings {
    var fsync: Finding? {
        guard facts.isOff("fsync") else { return nil }
        return Finding(
            .warning, "fsync is off: a crash of the server's machine can destroy the database",
            remedy: "ALTER SYSTEM SET fsync = 'on'" + Self.reload)
    }

    var fullPages: Finding? {
        guard facts.isOff("full_page_writes") else { return nil }
        return Finding(
            .warning, "full_page_writes is off: a crash can leave torn pages",
            remedy: "ALTER SYSTEM SET full_page_writes = 'on'" + Self.reload)
    }

    var checksums: Finding? {
        guard facts.isOff("data_checksums") else { return nil }
        return Finding(
            .warning,
            "data checksums are off: a base backup cannot tell a page that the disk has damaged",
            remedy: "stop the server and run pg_checksums --enable -D its data directory")
    }

    var restorePoints: Finding {
        facts.mayMark
            ? Finding(.ok, "restore points may be made (`tidemark mark`)")
            : Finding(
                .warning, "role \(configuration.user) may not make restore points",
                remedy: "GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO \(role); "
                    + "-- in database \(configuration.database)")
    }

    var settingsPrivilege: Finding? {
        guard !facts.mayReadSettings else { return nil }
        return Finding(
            .warning,
            "role \(configuration.user) may not see all settings: a base backup cannot record "
                + "shared_preload_libraries and the places of configuration files",
            remedy: "GRANT pg_monitor TO \(role)")
    }

    var filePrivilege: Finding? {
        guard let files = facts.outsideFiles, !files.isEmpty, !facts.mayReadFiles else {
            return nil
        }
        return Finding(
            .warning,
            "configuration outside the data directory cannot be read for the base backup: "
                + files.joined(separator: ", "),
            remedy: ServerFiles.grant(role) + " -- in database \(configuration.database)")
    }

    var timescale: Finding? {
        guard let version = facts.timescale else { return nil }
        let isLoaded = facts.settings["shared_preload_libraries"]?.contains("timescaledb")
        if isLoaded == false {
            return Finding(
                .warning,
                "timescaledb \(version) is not in shared_preload_libraries: compressed rows "
                    + "are missing from results",
                remedy: "ALTER SYSTEM SET shared_preload_libraries = "
                    + "'timescaledb'" + Self.restart)
        }
        return Finding(
            .ok,
            "timescaledb \(version) is installed; a restore needs the same version of its library")
    }
}
