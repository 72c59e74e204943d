import Model
package import Monitoring

/// The sidecar's own HTTP server, and whom it calls.
package struct MonitoringConfiguration: Sendable, Hashable {
    /// Nil when nothing is served.
    package var listen: ListenAddress?
    /// Whether that address was asked for, or is the default.
    package var isAsked = false
    /// What whoever asks has to bring; nil: nothing.
    package var token: Secret?
    /// Nil: plain HTTP.
    package var tls: TLSFiles?
    package var alerts: [AlertConfiguration] = []

    package init() {}

    init(_ settings: Settings) throws(TidemarkError) {
        isAsked = settings.setting(OptionTable.listen) != nil
        listen = try settings.value(OptionTable.listen)?.address
        token = try settings.value(OptionTable.token)
        let certificate = try settings.value(OptionTable.certificate)
        let key = try settings.value(OptionTable.key)
        if let certificate, let key {
            tls = TLSFiles(certificate: certificate, key: key)
        } else if certificate != nil || key != nil {
            throw settings.complaint(
                certificate == nil ? "monitoring.key" : "monitoring.certificate",
                "certificate and key belong together",
                remedy: "give both, as paths of PEM files, or neither")
        }
        alerts = try Self.alerts(settings)
    }

    private static func alerts(
        _ settings: Settings
    ) throws(TidemarkError) -> [AlertConfiguration] {
        var alerts: [AlertConfiguration] = []
        for place in 0..<settings.count(in: "alerts") {
            guard let webhook = try settings.value(OptionTable.webhook, "\(place)") else {
                throw settings.complaint(
                    "alerts[\(place)]", "webhook is missing",
                    remedy: "add the URL that is to be called")
            }
            var events: Set<AlertEvent> = []
            for event in 0..<settings.count(in: "alerts[\(place)].on") {
                if let event = try settings.value(
                    OptionTable.alertEvents, "\(place)", "\(event)")
                {
                    events.insert(event)
                }
            }
            alerts.append(
                AlertConfiguration(
                    webhook: webhook,
                    events: events.isEmpty ? Set(AlertEvent.allCases) : events))
        }
        return alerts
    }

    /// What somebody should know who lets others reach the server; nil when nothing.
    func notice(_ settings: Settings) -> String? {
        guard let listen, !listen.isLoopback, token == nil || tls == nil else { return nil }
        let problem =
            token == nil
            ? "others can reach it and no token is asked for: give monitoring.token"
            : "the token travels in the clear: give monitoring.certificate and monitoring.key"
        let line = settings.line(of: "monitoring.listen") ?? 0
        return "\(settings.file):\(line): monitoring.listen: \(listen): \(problem)"
    }
}
