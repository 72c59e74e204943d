import Model
import Platform

/// A live, empty server being filled: we act as its primary, so that it takes the base backup and
/// the stream as a replica does, exactly, whatever its version and wherever its files lie.
///
/// `REPLICAOF` makes it connect to us; the answer to its PSYNC is a full resync with the archive's
/// RDB, then comes the archive's stream; when it has acknowledged all of it, `REPLICAOF NO ONE`
/// makes it a primary. Interrupted before, it stays a replica whose link is down: nobody writes to
/// it.
final class ServedData: Restoration {
    private(set) var warnings: [String] = []
    private(set) var notes: [String] = []
    private let order: RestoreOrder
    private let configuration: RedisConfiguration
    private let edit: ExpiryEdit
    private var side: Connection?
    /// Our own address, as the server sees it.
    private let host: String
    /// The server's address; nobody else gets the data.
    private let serverHost: String
    /// Where we listen.
    private var port: UInt16 = 0
    private var link: ReplicaLink?
    private var words = ReplicaWords()
    private var expiries: RDBExpiryFilter?
    private var payload = RDBCheck()
    private var filter: StreamFilter?
    /// Bytes of stream sent to the replica.
    private var sent: UInt64 = 0
    /// Commands of a primary that the server had refused before; nil where it does not count them.
    private var refused: Int64?
    /// Ends an RDB whose length is not known beforehand.
    private let mark: String

    /// Connects and checks everything that can be checked without changing anything.
    init(_ order: RestoreOrder, server url: String) throws(TidemarkError) {
        self.order = order
        configuration = try RedisConfiguration(source: order.source, url: url)
        let version = ServerRelease(order.backup.server.version).compatible
        var random = SystemRandomNumberGenerator()
        mark = String((0..<40).map { _ in "0123456789abcdef".randomElement(using: &random) ?? "0" })
        var connection = try Connection.open(configuration)
        try LiveServer(order, configuration).check(&connection)
        edit = ExpiryEdit(try Self.expiry(order, &connection), version)
        if edit.change != .none { expiries = RDBExpiryFilter(edit.change) }
        host = connection.localHost
        serverHost = connection.peerHost
        side = consume connection
        warnings += order.clusterNotes
    }

    /// Keys expire by the server's clock, so what they had left is counted from there.
    private static func expiry(
        _ order: RestoreOrder, _ connection: inout Connection
    ) throws(TidemarkError) -> ExpiryOrder {
        guard case .shift(let moment, _) = order.expiry,
            let reply = try connection.answerIfAllowed(["TIME"]),
            let now = Questions.clockTime(reply)
        else { return order.expiry }
        return .shift(from: moment, now: now)
    }

    func begin() throws(TidemarkError) {
        let made = try ReplicaLink(host: host)
        port = made.port
        link = consume made
        refused = try Questions.info(&side!, section: "stats")?.number(Self.refusals)
        _ = try side!.answer(["REPLICAOF", host, String(port)])
        try link!.accept(from: serverHost)
        try shakeHands()
    }

    /// PING, AUTH and REPLCONF are agreed to; PSYNC gets a full resync.
    private func shakeHands() throws(TidemarkError) {
        while true {
            let command = try nextCommand()
            switch command[0] {
            case "PING": try link!.send("+PONG\r\n")
            case "PSYNC":
                try link!.send("+FULLRESYNC \(order.timeline) \(order.backup.start)\r\n")
                return
            default: try link!.send("+OK\r\n")
            }
        }
    }

    private func nextCommand() throws(TidemarkError) -> [String] {
        while true {
            if let command = words.next() { return command }
            words.add(try link!.receive())
        }
    }

    // MARK: files and stream

    func open(_ file: StoredFile) throws(TidemarkError) {
        guard file.role == .data else { return }
        try link!.send(expiries == nil ? "$\(file.bytes)\r\n" : "$EOF:\(mark)\r\n")
    }

    func write(_ bytes: RawSpan) throws(TidemarkError) {
        payload.take(bytes)
        guard expiries != nil else { return try link!.send(bytes) }
        try expiries?.take(bytes) { (changed) throws(TidemarkError) in try link!.send(changed) }
    }

    func close() throws(TidemarkError) {
        let preamble = try payload.finish()
        if expiries != nil {
            try link!.send(mark)
            // The mark is looked for at the end of what has arrived, so nothing may follow it
            // before the replica has seen it.
            while try nextCommand()[0] != "REPLCONF" {}
        }
        let database = preamble.fields["repl-stream-db"].flatMap { Int($0) } ?? 0
        filter = StreamFilter(
            at: StreamEdge(position: order.backup.start, database: database), edit: edit,
            strips: false)
    }

    var takesStream: Bool { true }

    func index(_ entries: [TimeIndexEntry]) { filter?.index(entries) }

    func stream(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        guard let wanted = filter?.position else {
            preconditionFailure("the stream comes behind the base backup")
        }
        guard let part = try order.wanted(bytes.byteCount, at: first, from: wanted) else { return }
        try filter?.take(bytes.extracting(part)) { (kept) throws(TidemarkError) in
            try link!.send(kept)
            sent += UInt64(kept.byteCount)
        }
    }

    func complete() throws(TidemarkError) {
        if let stop = order.stop, filter?.edge.position != stop.end {
            throw TidemarkError(
                .archiveIncomplete,
                "the archive of \(order.source) ends before the target at \(stop.end)",
                remedy: "run `tidemark verify`, and take an earlier target; the server is still a "
                    + "replica of nobody")
        }
        let wanted = order.backup.start + sent
        // Asked for at once instead of at the next second.
        try link!.send(Self.question)
        while true {
            let command = try nextCommand()
            guard command.count >= 3, command[1].uppercased() == "ACK" else { continue }
            if UInt64(command[2]) ?? 0 >= wanted { break }
        }
        try checkTaken(wanted)
        try checkUnderstood()
        _ = try side!.answer(["REPLICAOF", "NO", "ONE"])
        let info = try Questions.info(&side!)
        notes += (info?.keyCounts ?? [])
    }

    private static let refusals = "unexpected_error_replies"

    /// A replica skips what it does not know (`rename-command`, another version), acknowledges it
    /// all the same, and counts it from 6.2 on.
    private func checkUnderstood() throws(TidemarkError) {
        guard let refused, let info = try Questions.info(&side!, section: "stats"),
            let now = info.number(Self.refusals), now > refused
        else { return }
        throw TidemarkError(
            .failed,
            "\(configuration.place) refused \(now - refused) commands of the archive's stream, so "
                + "it is not what the source was; it is left as a replica without a primary",
            remedy: "see its log for the first one; take `rename-command` out of its "
                + "redis.conf, or fill a server of the source's version")
    }

    /// Whoever acknowledged everything must be the server that is being filled.
    private func checkTaken(_ wanted: UInt64) throws(TidemarkError) {
        guard let info = try Questions.info(&side!, section: "replication") else { return }
        // The question for the ACK counts as well, once it was taken.
        let asked = wanted...(wanted + UInt64(Self.question.utf8.count))
        guard info.isReplica, !info.isPrimaryLinkDown, info["master_host"] == host,
            info.number("master_port") == Int64(port), asked.contains(info.offset),
            info.history == order.timeline.name
        else {
            throw TidemarkError(
                .failed,
                "\(configuration.place) does not say that it took what was served: it is a "
                    + "\(info["role"] ?? "server") of \(info["master_host"] ?? "nobody") at "
                    + "\(info.offset) of \(info.history ?? "no history"), not at \(wanted) of "
                    + order.timeline.name,
                remedy: "somebody else gave it orders meanwhile; restore it again with --force")
        }
    }

    private static let question = "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n"

    func start(port: UInt16?) throws(TidemarkError) -> RestoredServer {
        preconditionFailure("a live server runs already")
    }
}
