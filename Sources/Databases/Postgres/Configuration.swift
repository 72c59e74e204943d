package import Model

/// How to reach one Postgres, and what we are called there.
///
/// Everything in the URL goes to libpq as it is (manual, "Connection Strings"): TLS parameters,
/// several hosts, `target_session_attrs`, `passfile`, `service`. What we add gives way to the URL.
package struct PostgresConfiguration: Sendable {
    package let source: SourceID
    /// Name of the replication slot.
    package let slot: String
    /// Nobody chose the slot's name.
    let isSlotByDefault: Bool
    /// Role and database as libpq understands the URL; for messages.
    package let user: String
    package let database: String
    /// `db:5432`, or all hosts of the URL; for messages.
    package let place: String
    /// Our name at the server, for `synchronous_standby_names`; `tidemark` unless the URL sets it.
    package let applicationName: String
    /// Seconds for one host to answer; `connect_timeout` of the URL, else 10.
    let connectSeconds: Double
    /// Seconds between two status messages.
    let statusSeconds = 10.0
    /// Seconds without any byte from the server, though asked, after which it counts as gone.
    let silenceSeconds = 60.0
    private let url: String
    private let password: String

    package var kind: DatabaseKind { .postgres }

    /// - Parameter slot: Nil for `tidemark_<source>` with `-` as `_`.
    package init(
        source: SourceID, url: String, slot: String? = nil
    ) throws(TidemarkError) {
        try ConnectionURL.check(url, source)
        try Connection.requireLibrary()
        guard let options = Connection.parse(url) else {
            throw ConnectionURL.unreadable(url, source)
        }
        try ConnectionURL.check(options, source)
        self.source = source
        self.url = url
        self.slot = try Self.slot(slot, source)
        isSlotByDefault = slot == nil
        user = options["user"] ?? ""
        database = options["dbname"] ?? options["user"] ?? ""
        password = options["password"] ?? ""
        applicationName = options["application_name"] ?? "tidemark"
        let timeout = options["connect_timeout"].flatMap { Double($0) } ?? 10
        connectSeconds = timeout > 0 ? min(timeout, 300) : 10
        place = HostList(options).description
    }

    private static func slot(
        _ name: String?, _ source: SourceID
    ) throws(TidemarkError) -> String {
        let dashed = name ?? "tidemark_" + source.name
        let slot = name ?? String(dashed.map { $0 == "-" ? "_" : $0 })
        let isValid = slot.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isValid, (1...63).contains(slot.utf8.count) else {
            throw TidemarkError(
                .configuration,
                "source \(source): \(slot) cannot be the name of a replication slot",
                remedy: "use 1 to 63 characters of a-z, 0-9 and _")
        }
        return slot
    }
}

extension PostgresConfiguration {
    /// What a connection is for.
    enum Mode: Sendable, Hashable {
        /// Replication commands (`replication=true`).
        case replication
        /// SQL in the URL's database, or in another.
        case sql(database: String? = nil)
    }

    /// libpq's parameters in their order: ours, overridden by the URL, overridden by what must be.
    ///
    /// The kernel notices a dead server within a minute even when we have nothing to send.
    func parameters(_ mode: Mode, _ hosts: HostList?) -> [(String, String)] {
        var list = [
            ("application_name", "tidemark"), ("keepalives_idle", "20"),
            ("keepalives_interval", "10"), ("keepalives_count", "4"),
            ("tcp_user_timeout", "60000"), ("dbname", url), ("client_encoding", "UTF8"),
        ]
        switch mode {
        case .replication: list.append(("replication", "true"))
        case .sql(let database):
            // The side connection must not pass for the stream in synchronous_standby_names.
            list.append(("application_name", applicationName + " probe"))
            if let database { list.append(("dbname", database)) }
        }
        if let hosts { list += hosts.parameters }
        return list
    }

    func context(_ mode: Mode, place: String) -> ConnectionFailure.Context {
        var context = ConnectionFailure.Context(
            place: place, user: user, database: database, slot: slot, isReplication: false,
            isSlotByDefault: isSlotByDefault)
        switch mode {
        case .replication: context.isReplication = true
        case .sql(let other): context.database = other ?? database
        }
        return context
    }

    /// `text` without the password, should libpq ever repeat it.
    func scrub(_ text: String) -> String {
        guard !password.isEmpty else { return text }
        var result = ""
        var rest = Substring(text)
        while let place = rest.firstRange(of: password) {
            result += rest[..<place.lowerBound] + "***"
            rest = rest[place.upperBound...]
        }
        return result + rest
    }
}

extension PostgresConfiguration: CustomStringConvertible {
    /// Never the URL: it may hold a password.
    package var description: String { "postgres \(source) at \(place)" }
}
