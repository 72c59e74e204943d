package import Model

extension Configuration {
    /// Reads a document.
    ///
    /// - Parameter file: how it is named in messages.
    package init(
        yaml text: String, file: String, environment: Environment
    ) throws(TidemarkError) {
        let root = try YAMLDocument.parse(text, file: file)
        try self.init(try Settings(root, file: file, environment: environment))
        guard !sources.isEmpty else {
            throw TidemarkError(
                .configuration, "\(file): sources: no source is configured",
                remedy: "name at least one, for example sources: { ledger: { url: "
                    + "\"postgresql://tidemark@localhost/postgres\" } }")
        }
    }

    /// From a checked document, which may name no sources.
    init(_ settings: Settings) throws(TidemarkError) {
        guard let url = try settings.value(OptionTable.repositoryURL) else {
            throw settings.complaint(
                "repository", "url is missing",
                remedy: "say where the archive lies, for example "
                    + "repository: { url: file:///var/lib/tidemark }")
        }
        try UnbuiltFeatures.refuse(settings)
        repository = RepositoryConfiguration(
            url: url, compression: try settings.value(OptionTable.compression) ?? .lz4)
        sources = try Self.sources(settings)
        flushInterval = try settings.value(OptionTable.flushInterval) ?? .seconds(1)
        segmentAge = try settings.value(OptionTable.segmentAge) ?? .seconds(600)
        retention = RetentionConfiguration(
            window: try settings.value(OptionTable.window),
            daily: try settings.value(OptionTable.daily),
            weekly: try settings.value(OptionTable.weekly),
            monthly: try settings.value(OptionTable.monthly),
            yearly: try settings.value(OptionTable.yearly))
        isMonitoringAsked = settings.setting(OptionTable.listen) != nil
        monitoringListen = try settings.value(OptionTable.listen)?.address
        monitoringToken = try settings.value(OptionTable.token)
        let drillZone = try settings.value(OptionTable.drillTimeZone) ?? .utc
        drillSchedule = try settings.setting(OptionTable.drillSchedule).map {
            (setting) throws(TidemarkError) in
            try Self.schedule(setting, drillZone, "drill.schedule", settings)
        }
        notices = UnbuiltFeatures.notices(settings)
    }

    private static func sources(
        _ settings: Settings
    ) throws(TidemarkError) -> [SourceConfiguration] {
        let zone = try settings.value(OptionTable.timeZone) ?? .utc
        let general =
            settings.setting(OptionTable.schedule)
            ?? Setting(text: OptionTable.schedule.defaultText ?? "", line: 0)
        let schedule = try schedule(general, zone, "backup.schedule", settings)
        var sources: [SourceConfiguration] = []
        for name in settings.names(in: "sources") {
            sources.append(try source(name, general: schedule, settings))
        }
        return sources
    }

    private static func source(
        _ name: String, general: Schedule, _ settings: Settings
    ) throws(TidemarkError) -> SourceConfiguration {
        let path = "sources.\(name)"
        guard let id = SourceID(name) else {
            throw settings.complaint(
                path, "not a valid source name",
                remedy: "use 1 to 63 of the signs a-z 0-9 _ - and start with a letter or digit")
        }
        guard let url = try settings.value(OptionTable.sourceURL, name) else {
            throw settings.complaint(
                path, "url is missing",
                remedy: "add the database's URL, for example postgresql://tidemark@db/postgres")
        }
        if url.kind != .postgres, settings.setting(OptionTable.slot, name) != nil {
            throw settings.complaint(
                path + ".slot", "only a Postgres source has a slot", remedy: "remove the key")
        }
        let zone = try settings.value(OptionTable.sourceTimeZone, name)
        var schedule = general
        let own = settings.setting(OptionTable.sourceSchedule, name)
        if own != nil || zone != nil {
            schedule = try Self.schedule(
                own ?? Setting(text: general.text, line: 0), zone ?? general.zone,
                path + ".backup.schedule", settings)
        }
        return SourceConfiguration(
            name: id, url: url,
            rpo: try settings.value(OptionTable.rpo, name)
                ?? SourceConfiguration.defaultRPO(url.kind),
            slot: try settings.value(OptionTable.slot, name), backupSchedule: schedule)
    }

    private static func schedule(
        _ setting: Setting, _ zone: TimeZoneRules, _ path: String, _ settings: Settings
    ) throws(TidemarkError) -> Schedule {
        do {
            return try Schedule(setting.text, zone: zone)
        } catch {
            throw settings.complaint(path, error.detail ?? "not a schedule")
        }
    }
}
