import Model

/// The answer to BASE_BACKUP, in both dialects. Pure: replies and messages in, what they mean out.
///
/// Both begin with a row (start position, timeline) and one row per tablespace (oid, path, size in
/// KiB; NULL and NULL for the data directory), and end with a row (end position, timeline). Failed
/// page checksums are an error after that row: the backup is complete, with a warning.
/// Up to 14 there is one stream per tablespace, bare tar without its end, in the order of the rows,
/// and one more for the manifest. Since 15 there is one stream for all, whose messages say what
/// they carry (`BaseBackupMessage`).
struct BaseBackupMachine: Sendable {
    /// What is known before the first byte.
    struct Header: Sendable, Equatable {
        var start: UInt64
        var timeline: UInt32
        var estimatedBytes: UInt64
    }

    /// What a reply means.
    enum Step: Sendable, Equatable {
        /// Take the next reply.
        case next
        /// The backup has started: take messages of the stream.
        case started(Header)
        /// Take messages of the next stream.
        case stream
        /// All was sent.
        case ended(UInt64)
    }

    /// What a message means.
    enum Piece: Sendable {
        case file(BaseBackupFile)
        /// Content of the present file, from this offset of the message on.
        case content(Int)
        case nothing
    }

    private struct Tablespace: Sendable {
        var oid: String?
        var path: String?
    }

    private let hasMessages: Bool
    private let context: ConnectionFailure.Context
    private var header: Header?
    private var tablespaces: [Tablespace]?
    /// Up to 14: streams begun.
    private var streams = 0
    /// A file to announce before the next message's content.
    private(set) var pendingFile: BaseBackupFile?
    private var end: UInt64?
    /// The server's complaint about page checksums.
    private(set) var complaint: String?

    init(version: Int, _ context: ConnectionFailure.Context) {
        hasMessages = version >= 150_000
        self.context = context
    }

    /// The command; WAIT false: the WAL that the backup needs comes through the stream.
    static func command(label: String, fast: Bool, version: Int) -> String {
        let label = SQL.literal(label)
        if version >= 150_000 {
            return "BASE_BACKUP (LABEL \(label), PROGRESS true, "
                + "CHECKPOINT '\(fast ? "fast" : "spread")', WAIT false, TABLESPACE_MAP true, "
                + "VERIFY_CHECKSUMS true, MANIFEST 'yes', MANIFEST_CHECKSUMS 'CRC32C')"
        }
        return "BASE_BACKUP LABEL \(label) PROGRESS \(fast ? "FAST " : "")NOWAIT TABLESPACE_MAP "
            + "MANIFEST 'yes' MANIFEST_CHECKSUMS 'CRC32C'"
    }

    /// The next result of the command.
    mutating func take(_ reply: ConnectionReply) throws(TidemarkError) -> Step {
        switch reply {
        case .rows(let rows): return try take(rows)
        case .copyOut: return try streamBegins()
        case .done: return .next
        case .failed(let failure):
            // XX001 data_corrupted, after everything was sent.
            guard failure.state == "XX001", end != nil else { throw failure.error(context) }
            complaint = failure.message
            return .next
        case .none:
            guard let end else { throw broken("no end position") }
            return .ended(end)
        case .copyBoth, .copyIn: throw broken("a stream in the wrong direction")
        }
    }

    private mutating func take(_ rows: ConnectionRows) throws(TidemarkError) -> Step {
        if header == nil {
            guard let start = rows.lsn(0, 0), let timeline: UInt32 = rows.number(0, 1) else {
                throw broken("no start position")
            }
            header = Header(start: start, timeline: timeline, estimatedBytes: 0)
        } else if tablespaces == nil {
            tablespaces = (0..<rows.count).map {
                Tablespace(oid: rows.text($0, 0), path: rows.text($0, 1))
            }
            let sizes = (0..<rows.count).map { rows.number($0, 2, as: UInt64.self) ?? 0 }
            header?.estimatedBytes = sizes.reduce(0, &+) &* 1024
        } else {
            guard end == nil, let position = rows.lsn(0, 0) else { throw broken("two ends") }
            end = position
        }
        return .next
    }

    private mutating func streamBegins() throws(TidemarkError) -> Step {
        guard let header, let tablespaces, end == nil else { throw broken("an early stream") }
        defer { streams += 1 }
        if hasMessages {
            guard streams == 0 else { throw broken("a second stream") }
            return .started(header)
        }
        guard streams <= tablespaces.count else { throw broken("too many streams") }
        pendingFile =
            streams < tablespaces.count
            ? Self.file(tablespaces[streams].oid, tablespaces[streams].path) : Self.manifest
        return streams == 0 ? .started(header) : .stream
    }

    /// The next message of a stream. A pending file is to be announced first.
    mutating func take(_ message: RawSpan) throws(TidemarkError) -> Piece {
        // Empty messages occur in 13.
        guard hasMessages else { return message.byteCount == 0 ? .nothing : .content(0) }
        switch try BaseBackupMessage(message) {
        case .data: return .content(BaseBackupMessage.dataOffset)
        case .progress: return .nothing
        case .manifest: return .file(Self.manifest)
        case .archive(let name, let path):
            guard name.hasSuffix(".tar") else { throw broken("an archive named \(name)") }
            let stem = String(name.dropLast(4))
            return .file(Self.file(stem == "base" ? nil : stem, path))
        }
    }

    /// What the stream that has just ended left to the client: up to 14 the blocks of zeros that
    /// end a tar (`ReceiveTarFile`, pg_basebackup.c).
    var closing: [UInt8] {
        guard !hasMessages, streams > 0, streams <= tablespaces?.count ?? 0 else { return [] }
        return [UInt8](repeating: 0, count: 2 * TarHeader.blockBytes)
    }

    mutating func takePendingFile() -> BaseBackupFile? {
        defer { pendingFile = nil }
        return pendingFile
    }

    private static let manifest = BaseBackupFile(
        name: "backup_manifest", role: .manifest, origin: nil, location: nil)

    private static func file(_ oid: String?, _ path: String?) -> BaseBackupFile {
        guard let oid else {
            return BaseBackupFile(name: "base.tar", role: .data, origin: nil, location: nil)
        }
        return BaseBackupFile(
            name: oid + ".tar", role: .tablespace, origin: oid, location: path)
    }

    private func broken(_ what: String) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "the base backup of Postgres at \(context.place) brought \(what)",
            remedy: "take the base backup again; if it happens again, see the server's log")
    }
}
