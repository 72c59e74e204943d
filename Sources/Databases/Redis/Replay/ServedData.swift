import Model
import Platform

/// A live, empty server being filled: we act as its primary, so that it takes the base backup and
/// the stream as a replica does, exactly, whatever its version and wherever its files lie.
///
/// `REPLICAOF` makes it connect to us; the answer to its PSYNC is a full resync with the archive's
/// RDB, then comes the archive's stream; when it has acknowledged all of it, `REPLICAOF NO ONE`
/// makes it a primary. Interrupted before, it stays a replica whose link is down: nobody writes to
/// it.
///
/// As in append-only files MULTI and EXEC are left out: a server writes into its own append-only
/// file what its primary sends, and one whose default user is off drops every transaction when it
/// loads that. So the bytes are not those of the archive's history, and are given out as a history
/// of their own: whoever follows that server later never takes the two for one.
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
    /// The replication id under which the server gets it.
    private let history = ServedData.letters()
    private var expiries: RDBExpiryFilter?
    private var payload = RDBCheck()
    private var filter: StreamFilter?
    /// Bytes of stream sent to the replica.
    private var sent: UInt64 = 0
    /// Commands of a primary that the server had refused before; nil where it does not count them.
    private var refused: Int64?
    private var rewrite = AppendOnlyRewrite(before: nil)
    /// Ends an RDB whose length is not known beforehand.
    private let mark = ServedData.letters()
    /// The server was told to follow us, and not yet to follow nobody.
    private var isUnderOrders = false

    /// Connects and checks everything that can be checked without changing anything.
    init(_ order: RestoreOrder, server url: String) throws(TidemarkError) {
        self.order = order
        configuration = try RedisConfiguration(source: order.source, url: url)
        var connection = try Connection.open(configuration)
        warnings += try LiveServer(order, configuration).check(&connection)
        edit = ExpiryEdit(try Self.expiry(order, &connection), order.release.level)
        try order.checkExpiry(edit.change)
        if edit.change != .none { expiries = RDBExpiryFilter(edit.change) }
        host = connection.localHost
        serverHost = connection.peerHost
        side = consume connection
        warnings += order.clusterNotes
    }

    /// Forty hexadecimal digits that nobody can guess.
    private static func letters() -> String {
        var random = SystemRandomNumberGenerator()
        return String(
            (0..<40).map { _ in "0123456789abcdef".randomElement(using: &random) ?? "0" })
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
        let before = try Questions.info(&side!)
        refused = before?.number(Self.refusals)
        rewrite = AppendOnlyRewrite(before: before)
        order.leaves(
            "\(configuration.place) is left a replica whose primary is gone, and nobody can write "
                + "to it: send it `REPLICAOF NO ONE`, then restore again with --force")
        // Whatever becomes of the answer, it may have been obeyed.
        isUnderOrders = true
        _ = try side!.answer(["REPLICAOF", host, String(port)])
        try link!.accept(from: serverHost)
        try shakeHands()
    }

    /// PING, AUTH and REPLCONF are agreed to; PSYNC gets a full resync.
    private func shakeHands() throws(TidemarkError) {
        while true {
            let command = try link!.command()
            switch command[0] {
            case "PING": try link!.send("+PONG\r\n")
            case "PSYNC":
                try link!.send("+FULLRESYNC \(history) \(order.backup.start)\r\n")
                return
            default: try link!.send("+OK\r\n")
            }
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
            while try link!.command()[0] != "REPLCONF" {}
        }
        let database = preamble.fields["repl-stream-db"].flatMap { Int($0) } ?? 0
        filter = StreamFilter(
            at: StreamEdge(position: order.backup.start, database: database), edit: edit)
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
                remedy: "run `tidemark verify`, and take an earlier target")
        }
        let wanted = order.backup.start + sent
        // Asked for at once instead of at the next second.
        try link!.send(Self.question)
        try waitTaken(wanted)
        // The server may have closed a connection that was idle for so long (`timeout`).
        side = nil
        side = try Connection.open(configuration)
        try checkTaken(wanted)
        try checkUnderstood()
        _ = try side!.answer(["REPLICAOF", "NO", "ONE"])
        isUnderOrders = false
        order.leaves(
            "\(configuration.place) is a primary and holds what was restored; it may still be "
                + "writing its append-only file: wait until its `INFO persistence` says "
                + "aof_rewrite_in_progress:0 before it is stopped")
        let info = try waitWritten()
        notes += (info?.keyCounts ?? [])
    }

    /// Waits until the server has acknowledged everything. It repeats its ACK each second; one that
    /// gets no further is given up.
    private func waitTaken(_ wanted: UInt64) throws(TidemarkError) {
        var furthest: UInt64 = 0
        var deadline = SocketWait.now() + ReplicaLink.usualPatience
        while true {
            let command = try link!.command()
            guard command.count >= 3, command[1].uppercased() == "ACK" else { continue }
            let reached = UInt64(command[2]) ?? 0
            if reached >= wanted { return }
            if reached > furthest {
                furthest = reached
                deadline = SocketWait.now() + ReplicaLink.usualPatience
            }
            guard SocketWait.now() < deadline else {
                throw TidemarkError(
                    .failed,
                    "\(configuration.place) got no further than \(reached) of \(wanted) for "
                        + "\(Int(ReplicaLink.usualPatience)) s",
                    remedy: "see its log, and `SLOWLOG GET` for a command that holds it up")
            }
        }
    }

    /// With `appendonly yes` the server writes its append-only file anew behind a full resync;
    /// until that is done its files hold nothing of what was restored. Takes as long as it takes;
    /// the end of the server's child ends the wait. One that fails is tried again for ever.
    private func waitWritten() throws(TidemarkError) -> ServerInfo? {
        let never = Monitor(())
        while true {
            guard let info = try Questions.info(&side!) else { return nil }
            switch rewrite.look(info, now: SocketWait.now()) {
            case .done: return info
            case .underWay: break
            case .failed:
                throw TidemarkError(
                    .failed,
                    "\(configuration.place) holds what was restored and is a primary, but could "
                        + "not write its append-only file anew (aof_last_bgrewrite_status:err): a "
                        + "restart would lose all of it",
                    remedy: "do not restart it; see its log, free its disk, run `BGREWRITEAOF`, "
                        + "and wait until `INFO persistence` says aof_last_bgrewrite_status:ok")
            }
            // It has no event of its own to wait for; ten looks a second cost nothing.
            _ = never.wait(seconds: 0.1) { _ in Bool?.none }
        }
    }

    func failed(_ error: TidemarkError) -> TidemarkError {
        guard isUnderOrders else { return error }
        link = nil
        guard let standing = standing() else { return error }
        return TidemarkError(
            error.code, error.message + "; " + standing,
            remedy: error.remedy + "; nobody can write to it until it gets `REPLICAOF NO ONE`: "
                + "send it that, then restore again with --force", cause: error.cause)
    }

    /// In which state the server is left; nil when it does not follow us: it never obeyed, or
    /// somebody has given it other orders.
    private func standing() -> String? {
        let left = "\(configuration.place) is left a replica whose primary is gone, "
        do throws(TidemarkError) {
            var connection = try Connection.open(configuration)
            guard let info = try Questions.info(&connection) else { return left + "as it was" }
            guard isOurs(info) else { return nil }
            if info.isLoading { return left + "and still loads" }
            let keys = info.keyCounts
            return left
                + (keys.isEmpty ? "without keys" : "with \(keys.joined(separator: ", "))")
        } catch {
            return left + "and does not answer now: \(error.message)"
        }
    }

    /// Whether it follows us, or would if we were there.
    private func isOurs(_ info: ServerInfo) -> Bool {
        info.isReplica && info["master_host"] == host
            && info.number("master_port") == Int64(port)
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
                + "it is not what the source was",
            remedy: "see its log for the first one; take `rename-command` out of its "
                + "redis.conf, or fill a server of the source's version")
    }

    /// Whoever acknowledged everything must be the server that is being filled.
    private func checkTaken(_ wanted: UInt64) throws(TidemarkError) {
        guard let info = try Questions.info(&side!, section: "replication") else { return }
        // The question for the ACK counts as well, once it was taken.
        let asked = wanted...(wanted + UInt64(Self.question.utf8.count))
        guard isOurs(info), !info.isPrimaryLinkDown, asked.contains(info.offset),
            info.history == history
        else {
            throw TidemarkError(
                .failed,
                "\(configuration.place) does not say that it took what was served: it is a "
                    + "\(info["role"] ?? "server") of \(info["master_host"] ?? "nobody") at "
                    + "\(info.offset) of \(info.history ?? "no history"), not at \(wanted) of "
                    + history,
                remedy: "somebody else gave it orders meanwhile")
        }
    }

    private static let question = "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n"

    func start(port: UInt16?) throws(TidemarkError) -> RestoredServer {
        preconditionFailure("a live server runs already")
    }
}
