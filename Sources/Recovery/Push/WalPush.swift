import Crypto
package import Model
package import Platform
package import Repository
package import Segments

/// The server's archive_command: stores one file that the database hands over. Blocking.
///
/// The same file again does nothing; other bytes for the same place are `contentConflict`, naming
/// both. What is stored is durable when `run` returns.
///
/// Beside a sidecar that archives the same stream it only confirms: the sidecar holds its open
/// segment, so a push of that one waits until it is sealed and compares. It never puts a segment in
/// front of a living sidecar that has not come so far, since a later start would go on behind it.
/// `pushed.json` then says how far it came: what proves the archive's end where no sidecar runs.
///
/// * A segment is checked by its own header (cluster, size, place) and gets the footer it would
///   have got from the stream, commit times included. The first one makes the source's descriptor.
/// * A history file is stored beside the segments.
/// * `X.partial`, the last segment of a timeline that ended in a promotion, and `X.backup`, a base
///   backup's label, are accepted and not stored: recovery never asks for them, and what the first
///   holds up to the switch is repeated in the new timeline's first segment.
package struct WalPush {
    private let repository: ArchiveRepository
    private let replayer: any Replayer
    private let clock: any TimeSource
    private let compression: Compression

    /// Bytes of the segment before that are read for a record which ends in the pushed one.
    private static let overlapBytes: UInt64 = 1 << 20
    /// How long a push waits for the sidecar; then Postgres keeps the file and tries again.
    private static let patienceSeconds = 10.0

    package init(
        _ repository: ArchiveRepository, _ replayer: any Replayer, clock: any TimeSource,
        compression: Compression = .lz4
    ) {
        self.repository = repository
        self.replayer = replayer
        self.clock = clock
        self.compression = compression
    }

    package func run(_ source: SourceID, _ path: String) throws(TidemarkError) {
        let file = try PushedFile(path)
        var random = SystemRandomNumberGenerator()
        try repository.openOrCreate(now: clock.wall(), random: &random)
        let known = try repository.descriptor(source)
        if let known, known.kind != replayer.kind {
            throw TidemarkError(
                .configuration, "\(source) is archived from \(known.kind), and has no WAL",
                remedy: "name the Postgres with --source; `tidemark list` shows what the archive "
                    + "has")
        }
        let head = try file.read(at: 0)
        let own = try? unsafe replayer.identify(head.span.bytes)
        let segmentBytes = own?.segmentBytes ?? known?.segmentBytes ?? 16 << 20
        switch replayer.request(file.name, segmentBytes: segmentBytes) {
        case .segment(let range):
            let identity = try unsafe replayer.identify(head.span.bytes)
            try check(file, range, identity, known, source)
            try push(file, range, try descriptor(source, known, identity))
            try repository.notePushed(source, range)
        case .document(let timeline, let name):
            try push(head, name, timeline, source, segmentBytes)
        case .unfinished, .label:
            return
        case nil:
            throw TidemarkError(
                .usage, "\(file.name) is not a file that Postgres archives",
                remedy: "write archive_command = 'tidemark wal push %p'")
        }
    }

    private func check(
        _ file: PushedFile, _ range: PositionRange, _ own: SegmentIdentity,
        _ known: SourceDescriptor?, _ source: SourceID
    ) throws(TidemarkError) {
        let style = replayer.style(segmentBytes: own.segmentBytes)
        guard file.bytes == own.segmentBytes, own.first == range.first else {
            throw TidemarkError(
                .failed,
                "\(file.name) has \(file.bytes) bytes of \(own.segmentBytes) and begins with "
                    + "\(style.text(own.first)): it is not the segment its name says",
                remedy: "look at the server's pg_wal folder; do not rename its files")
        }
        guard let known else { return }
        guard known.identity == own.identity, known.segmentBytes == own.segmentBytes,
            known.majorVersion == own.majorVersion
        else {
            throw TidemarkError(
                .sourceIdentityChanged,
                "\(file.name) is of cluster \(own.identity) (Postgres \(own.majorVersion)), the "
                    + "archive of \(source) belongs to \(known.identity) "
                    + "(Postgres \(known.majorVersion))",
                remedy: "give this cluster a source name of its own: --source NAME")
        }
    }

    private func descriptor(
        _ source: SourceID, _ known: SourceDescriptor?, _ own: SegmentIdentity
    ) throws(TidemarkError) -> SourceDescriptor {
        if let known { return known }
        let made = SourceDescriptor(
            source: source, kind: replayer.kind, identity: own.identity,
            majorVersion: own.majorVersion, segmentBytes: own.segmentBytes, created: clock.wall())
        do {
            try repository.putDescriptor(made)
        } catch let error where error.code == .contentConflict {
            // A sidecar or another push was first; theirs counts if it is the same cluster.
            guard let theirs = try repository.descriptor(source), theirs.identity == own.identity
            else { throw error }
            return theirs
        }
        return made
    }

    private func push(
        _ content: [UInt8], _ name: String, _ timeline: TimelineID, _ source: SourceID,
        _ segmentBytes: UInt64
    ) throws(TidemarkError) {
        // Throws for a document that makes no sense.
        _ = try replayer.ancestors(of: timeline, [name: content])
        let style = replayer.style(segmentBytes: segmentBytes)
        try TimelineDocument.put(
            repository.store, Layout.document(source, style, timeline, name), content, compression)
    }
}

// MARK: segments

extension WalPush {
    private func push(
        _ file: PushedFile, _ range: PositionRange, _ descriptor: SourceDescriptor
    ) throws(TidemarkError) {
        let style = replayer.style(segmentBytes: descriptor.segmentBytes)
        let base = Layout.segment(descriptor.source, style, range)
        let deadline = clock.monotonic().advanced(bySeconds: Self.patienceSeconds)
        var pause = 0.02
        while true {
            // Asked first, since a running sidecar has mostly sealed it.
            if try isSealed(base, file) { return }
            var cause: TidemarkError?
            do throws(TidemarkError) {
                if try isNext(range, style, descriptor.source) {
                    return try write(file, range, style, descriptor)
                }
            } catch let error where error.code == .failed {
                // The code of an open segment that another process holds.
                cause = error
            }
            guard clock.monotonic() < deadline else { throw unfinished(file.name, cause) }
            Pause.wait(seconds: pause)
            pause = min(0.5, pause * 2)
        }
    }

    private func unfinished(_ name: String, _ cause: TidemarkError?) -> TidemarkError {
        TidemarkError(
            .failed, "the sidecar has not finished \(name) yet",
            remedy: "nothing to do: Postgres keeps the file and tries again; `tidemark status` "
                + "shows how far the sidecar is", cause: cause)
    }

    /// False while a living sidecar has yet to archive what comes before.
    private func isNext(
        _ range: PositionRange, _ style: any PositionStyle, _ source: SourceID
    ) throws(TidemarkError) -> Bool {
        guard let mark = try repository.watermark(source), mark.isLive(clock.reading()),
            mark.timeline == range.timeline, mark.archived < range.first
        else { return true }
        let before = PositionRange(
            timeline: range.timeline, first: range.first - range.length, last: range.first)
        guard let reader = try sealed(Layout.segment(source, style, before)) else { return false }
        reader.close()
        return true
    }

    private func write(
        _ file: PushedFile, _ range: PositionRange, _ style: any PositionStyle,
        _ descriptor: SourceDescriptor
    ) throws(TidemarkError) {
        var options = SegmentWriterOptions(rotation: .aligned(bytes: descriptor.segmentBytes))
        options.compression = compression
        options.isGuest = true
        let source = descriptor.source
        let writer = try SegmentWriter(
            source: source, kind: descriptor.kind, style: style, store: repository.store,
            options: options, time: clock,
            key: { Layout.segment(source, style, $0) },
            attachKey: { Layout.document(source, style, $0, $1) })
        defer { writer.close() }
        try writer.begin(
            StreamOpening(
                descriptor: descriptor,
                start: Position(timeline: range.timeline, ordinal: range.first),
                serverVersion: descriptor.majorVersion + "0000", sourceEnd: range.last))
        let scan = replayer.scan(of: descriptor, on: range.timeline)
        let before = try readOverlap(before: range, style, descriptor, scan)
        var offset: UInt64 = 0
        while offset < file.bytes {
            let piece = try file.read(at: offset)
            guard !piece.isEmpty else {
                throw TidemarkError(.failed, "\(file.name) became shorter while it was read")
            }
            let first = range.first + offset
            try unsafe writer.append(piece.span.bytes, at: first)
            do throws(TidemarkError) {
                try unsafe scan.take(piece.span.bytes, at: first) {
                    (entry) throws(TidemarkError) in try writer.note(entry)
                }
            } catch let error where error.code == .archiveDamaged {
                guard let before, offset == 0 else { throw error }
                throw stranger(file.name, before, error)
            }
            offset += UInt64(piece.count)
        }
        try writer.flush()
        try writer.settle()
    }

    private func stranger(
        _ name: String, _ before: ObjectKey, _ cause: TidemarkError
    ) -> TidemarkError {
        TidemarkError(
            .contentConflict,
            "\(name) does not go on where \(before) in the archive ends: \(cause.message)",
            remedy: "a server that was rolled back to a copy must be promoted to a new timeline, "
                + "and another one needs a source name of its own")
    }

    /// A commit record may begin in the segment before; without its beginning it is not understood.
    /// Returns that segment's key; nil when the archive does not have it.
    private func readOverlap(
        before range: PositionRange, _ style: any PositionStyle, _ descriptor: SourceDescriptor,
        _ scan: any HistoryScan
    ) throws(TidemarkError) -> ObjectKey? {
        guard range.first >= range.length else { return nil }
        let before = PositionRange(
            timeline: range.timeline, first: range.first - range.length, last: range.first)
        let base = Layout.segment(descriptor.source, style, before)
        guard let reader = try sealed(base) else { return nil }
        defer { reader.close() }
        let skipped = before.length - min(Self.overlapBytes, before.length)
        reader.skip(to: skipped)
        var first = before.first + skipped
        var more = true
        while more {
            more = try reader.read { (bytes) throws(TidemarkError) in
                try scan.take(bytes, at: first) { (_) in }
                first += UInt64(bytes.byteCount)
            }
        }
        return reader.key
    }

    private func sealed(_ base: ObjectKey) throws(TidemarkError) -> SegmentReader? {
        for compression in Compression.allCases {
            do {
                return try SegmentReader(
                    repository.store, ObjectKey(base.path + compression.suffix))
            } catch let error where error.code == .notFound {
                continue
            }
        }
        return nil
    }

    /// True when the archive has the same content under this name.
    private func isSealed(
        _ base: ObjectKey, _ file: PushedFile
    ) throws(TidemarkError) -> Bool {
        guard let reader = try sealed(base) else { return false }
        defer { reader.close() }
        var hash = SHA256()
        var offset: UInt64 = 0
        while offset < file.bytes {
            let piece = try file.read(at: offset)
            if piece.isEmpty { break }
            unsafe piece.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
            offset += UInt64(piece.count)
        }
        guard Hex.text(hash.finalize()) == reader.descriptor?.sha256 else {
            throw TidemarkError(
                .contentConflict,
                "\(file.name) and \(reader.key) in the archive hold different bytes",
                remedy: "two servers write to one archive: give each a source name of its own")
        }
        // The server will drop its copy now: ours must be what its footer says.
        try reader.verify()
        return true
    }
}
