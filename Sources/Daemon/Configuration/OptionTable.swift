import Model

/// Every option of the configuration, once: name, type, range, default, secrecy, help.
///
/// The reader refuses what is not here, and `init` writes its file from here.
enum OptionTable {
    static let repositoryURL = ConfigurationOption<RepositoryURL>(
        "repository.url", .init("file:///path, or s3://bucket/prefix") { RepositoryURL($0) },
        isSecret: true, example: "file:///var/lib/tidemark",
        "Where the archive lies. An empty place of its own; `tidemark run` prepares it.")
    static let compression = ConfigurationOption<CompressionChoice>(
        "repository.compression", .choice(), default: "lz4",
        "How sealed files are compressed: lz4 (fastest restore) or gzip.")
    static let recipients = ConfigurationOption<String>(
        "repository.encryption.recipients[]", .text("an age public key (age1…)"),
        isOffered: false, "Public keys that sealed files are encrypted for.")
    static let copyURL = ConfigurationOption<RepositoryURL>(
        "repository.copies[].url",
        .init("file:///path, or s3://bucket/prefix") { RepositoryURL($0) }, isSecret: true,
        isOffered: false, "A second place for everything in the archive.")

    static let sourceURL = ConfigurationOption<SourceURL>(
        "sources.*.url", .init("a postgresql://, mongodb:// or redis:// URL") { SourceURL($0) },
        isSecret: true, example: "postgresql://tidemark:${LEDGER_PASSWORD}@localhost:5432/postgres",
        "The database; its kind comes from the URL's scheme.")
    static let rpo = ConfigurationOption<Duration>(
        "sources.*.rpo", .duration(.seconds(1)...DurationText.days(365), example: "15m"),
        example: "15m",
        "The most that may be lost, in time. Default: 15m for Postgres, 1h for others.")
    static let slot = ConfigurationOption<String>(
        "sources.*.slot", .slotName, example: "tidemark",
        "Postgres: the replication slot to use. Default: tidemark_ and the source's name.")
    static let sourceSchedule = ConfigurationOption<CronExpression>(
        "sources.*.backup.schedule", .cron, example: "0 2 * * *",
        "When to take base backups of this source. Default: as for all sources.")
    static let sourceTimeZone = ConfigurationOption<TimeZoneRules>(
        "sources.*.backup.timezone", .timeZone, example: "Europe/Berlin",
        "The time zone of that schedule. Default: as for all sources.")

    static let flushInterval = ConfigurationOption<Duration>(
        "flush.interval", .duration(.milliseconds(100)...(.seconds(60)), example: "1s"),
        default: "1s",
        "How long a received byte may wait before it is durable in the repository.")
    static let segmentAge = ConfigurationOption<Duration>(
        "segment.age", .duration(.seconds(10)...DurationText.days(1), example: "10m"),
        default: "10m", isOffered: false,
        "How long a segment stays open. Postgres's own segments end by size alone.")
    static let schedule = ConfigurationOption<CronExpression>(
        "backup.schedule", .cron, default: "0 2 * * *",
        "When to take base backups: minute, hour, day, month, day of the week.")
    static let timeZone = ConfigurationOption<TimeZoneRules>(
        "backup.timezone", .timeZone, default: "UTC",
        "The time zone of the schedule.")

    static let window = ConfigurationOption<Duration>(
        "retention.window", .duration(.seconds(3600)...DurationText.days(36_500), example: "30d"),
        example: "30d", "How far back every moment stays restorable. Default: for ever.")
    static let daily = ConfigurationOption<Int>(
        "retention.daily", .integer(1...10_000), example: "14",
        "Base backups to keep beyond the window, one a day.")
    static let weekly = ConfigurationOption<Int>(
        "retention.weekly", .integer(1...10_000), example: "8",
        "Base backups to keep beyond the window, one a week.")
    static let monthly = ConfigurationOption<Int>(
        "retention.monthly", .integer(1...10_000), example: "12",
        "Base backups to keep beyond the window, one a month.")
    static let yearly = ConfigurationOption<Int>(
        "retention.yearly", .integer(1...10_000), example: "7",
        "Base backups to keep beyond the window, one a year.")

    static let drillSchedule = ConfigurationOption<CronExpression>(
        "drill.schedule", .cron, example: "0 3 1-7 * 6",
        "When to rehearse a recovery.")
    static let drillTimeZone = ConfigurationOption<TimeZoneRules>(
        "drill.timezone", .timeZone, default: "UTC", isOffered: false,
        "The time zone of the drills' schedule.")
    static let listen = ConfigurationOption<ListenChoice>(
        "monitoring.listen",
        .init("an address such as 127.0.0.1:9187, or none") { ListenChoice($0) },
        default: "127.0.0.1:9187",
        "Where health, metrics and the dashboard are served; none for nowhere.")
    static let token = ConfigurationOption<Secret>(
        "monitoring.token",
        .init("8 or more visible ASCII signs") { text in
            let isVisible = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            return isVisible && text.utf8.count >= 8 ? Secret(text) : nil
        }, isSecret: true, example: "${TIDEMARK_TOKEN}",
        "What requests have to bring as Authorization: Bearer. Default: nothing is asked for.")
    static let webhook = ConfigurationOption<Secret>(
        "alerts[].webhook",
        .init("an http:// or https:// URL") { text in
            guard let parts = URLParts(text), ["http", "https"].contains(parts.scheme),
                !parts.hosts.isEmpty
            else { return nil }
            return Secret(text)
        }, isSecret: true, isOffered: false, "A URL that is called when something happens.")
    static let alertEvents = ConfigurationOption<AlertEvent>(
        "alerts[].on[]", .choice(), isOffered: false, "What it is called for. Default: everything.")

    /// All of them, in the order of the file.
    static let all: [OptionEntry] = [
        repositoryURL.entry, compression.entry, recipients.entry, copyURL.entry, sourceURL.entry,
        rpo.entry, slot.entry, sourceSchedule.entry, sourceTimeZone.entry, flushInterval.entry,
        segmentAge.entry, schedule.entry, timeZone.entry, window.entry, daily.entry, weekly.entry,
        monthly.entry, yearly.entry, drillSchedule.entry, drillTimeZone.entry, listen.entry,
        token.entry,
        webhook.entry, alertEvents.entry,
    ]

    /// What stands above a section in the file that `init` writes.
    static let sectionHelp: [(section: String, help: String)] = [
        ("repository", "The archive."),
        ("sources", "The databases. A source's name stands in paths and commands: a-z 0-9 _ -"),
        ("flush", "Durability."),
        ("backup", "Base backups, of every source that says nothing else."),
        ("retention", "What is kept."),
        ("drill", "Rehearsals of a recovery."),
        ("monitoring", "The sidecar's own HTTP server."),
    ]
}

extension OptionType where Value == CronExpression {
    static let cron = Self(
        expectation: "a schedule of five fields such as \"0 2 * * *\"",
        parse: { (text) throws(OptionComplaint) in
            // Days that never come, and zones that do not exist, are found by building it.
            _ = try Schedule(text, zone: .utc)
            return try CronExpression(text)
        })
}

extension OptionType where Value == TimeZoneRules {
    static let timeZone = Self(
        "UTC or a time zone of this machine such as Europe/Berlin (see /usr/share/zoneinfo)"
    ) { TimeZoneRules.named($0) }
}
