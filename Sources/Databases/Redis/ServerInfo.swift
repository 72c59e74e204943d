import Model

/// What INFO says, as far as the archiver needs it.
struct ServerInfo: Sendable, Hashable {
    private let fields: [String: String]

    /// - Parameter text: of INFO, or of some of its sections.
    init(_ text: String) {
        var fields: [String: String] = [:]
        for line in text.utf8.split(whereSeparator: { $0 == 13 || $0 == 10 }) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let key = String(decoding: Array(line[..<colon]), as: UTF8.self)
            let value = line[line.index(after: colon)...]
            fields[key] = String(decoding: Array(value), as: UTF8.self)
        }
        self.fields = fields
    }

    subscript(_ name: String) -> String? { fields[name] }

    func number(_ name: String) -> Int64? { fields[name].flatMap { Int64($0) } }

    // MARK: the server

    /// Of Redis, whose numbers forks keep for compatibility.
    var version: RedisVersion { RedisVersion(fields["redis_version"] ?? "") }
    /// As it calls itself: `valkey 8.0.1`, `7.0.15`.
    var versionText: String {
        fields["valkey_version"].map { "valkey " + $0 } ?? fields["redis_version"] ?? ""
    }
    /// For people: `Valkey 8.0.1`, `Redis 7.0.15`.
    var product: String {
        fields["valkey_version"].map { "Valkey " + $0 }
            ?? "Redis " + (fields["redis_version"] ?? "")
    }
    var release: ServerRelease { ServerRelease(versionText) }
    var isReplica: Bool { fields["role"] == "slave" }
    var isLoading: Bool { fields["loading"] == "1" }
    var isClusterNode: Bool { fields["cluster_enabled"] == "1" }
    var isSentinel: Bool { fields["redis_mode"] == "sentinel" }
    /// A replica that has lost its primary serves no replicas of its own.
    var isPrimaryLinkDown: Bool { isReplica && fields["master_link_status"] == "down" }

    /// Whole seconds since a replica heard of its primary; nil on a primary.
    var primarySilence: Double? {
        guard isReplica, let seconds = number("master_last_io_seconds_ago") else { return nil }
        return Double(max(0, seconds))
    }

    // MARK: the replication stream

    /// Nil on a server too old for resuming (before 4.0).
    var history: String? { fields["master_replid"] }
    /// The history that this one continues; nil when there is none.
    var olderHistory: String? {
        guard let id = fields["master_replid2"], id.contains(where: { $0 != "0" }) else {
            return nil
        }
        return id
    }
    /// Bytes of the history so far.
    var offset: UInt64 { fields["master_repl_offset"].flatMap { UInt64($0) } ?? 0 }
    /// Bytes that the older history has in common with this one.
    var fork: UInt64? {
        guard let next = number("second_repl_offset"), next > 0 else { return nil }
        return UInt64(next - 1)
    }

    /// Bytes from which the server can still send; nil without a backlog.
    var backlog: ClosedRange<UInt64>? {
        guard fields["repl_backlog_active"] == "1",
            let first = number("repl_backlog_first_byte_offset"), first > 0,
            let length = number("repl_backlog_histlen"), length >= 0
        else { return nil }
        let start = UInt64(first - 1)
        return start...(start + UInt64(length))
    }
    /// What clients have sent, questions included.
    var receivedBytes: UInt64 { fields["total_net_input_bytes"].flatMap { UInt64($0) } ?? 0 }
    var backlogBytes: UInt64? { fields["repl_backlog_size"].flatMap { UInt64($0) } }
}

extension ServerInfo {
    /// Keys of each database that has any, as sentences for people.
    var keyCounts: [String] {
        (0..<1024).compactMap { number in
            self["db\(number)"].map { "database \(number): \($0.split(separator: ",")[0])" }
        }
    }
}
