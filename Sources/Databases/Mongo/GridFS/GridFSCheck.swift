import Model
import Platform

/// Whether every file in GridFS has all of its chunks in a base backup.
///
/// A driver writes the chunks before the file's document and deletes the document before the
/// chunks, so at any one moment every file is whole. A base backup of different moments is not of
/// one: files that were touched while it was read, as the oplog tells, are left out and said to be.
final class GridFSCheck: BaseBackupCheck {
    private let backup: BaseBackupDescriptor
    /// The collections of each bucket by its name: `files`, and `chunks` where there are any.
    private let kinds: [Namespace: Set<String>]
    private let buckets: Monitor<[Namespace: GridFSBucket]>
    private let entries = Monitor(ArchivedEntries())

    init(_ backup: BaseBackupDescriptor) {
        self.backup = backup
        var kinds: [Namespace: Set<String>] = [:]
        for file in backup.files where file.role == .data {
            guard let place = file.origin.flatMap({ Namespace($0) }),
                let (bucket, kind) = Self.bucket(place)
            else { continue }
            kinds[bucket, default: []].insert(kind)
        }
        self.kinds = kinds.filter { $0.value.contains(Self.files) }
        buckets = Monitor(self.kinds.mapValues { _ in GridFSBucket() })
    }

    static let files = "files"
    static let chunks = "chunks"

    /// The bucket that a collection belongs to, and as what.
    static func bucket(_ place: Namespace) -> (Namespace, String)? {
        for kind in [files, chunks] where place.collection.hasSuffix("." + kind) {
            let name = place.collection.dropLast(kind.count + 1)
            if !name.isEmpty { return (Namespace(place.database, String(name)), kind) }
        }
        return nil
    }

    func file(_ file: StoredFile) -> (any BaseBackupFileCheck)? {
        guard file.role == .data, let place = file.origin.flatMap({ Namespace($0) }),
            let (bucket, kind) = Self.bucket(place), kinds[bucket] != nil
        else { return nil }
        return GridFSFileCheck(file.name, kind) { [buckets] change in
            buckets.update { all in
                if var found = all[bucket] {
                    change(&found)
                    all[bucket] = found
                }
            }
        }
    }

    // MARK: a base backup of different moments

    var takesStream: Bool { backup.end > backup.start && !kinds.isEmpty }

    func stream(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        var reader = entries.read { $0 }
        defer { entries.update { $0 = reader } }
        try reader.take(bytes, at: first) { (bytes, head) throws(TidemarkError) in
            guard head.ts.ordinal > backup.start, head.ts.ordinal <= backup.end,
                head.kind != .noop, head.kind != .other
            else { return }
            do throws(BSONFailure) {
                try look(OplogEntry(bytes.array).change)
            } catch {
                throw error.error(
                    .archiveDamaged, in: "the archived oplog entry \(head.ts)",
                    remedy: "bring the segment back from a copy of the archive")
            }
        }
    }

    private func look(_ change: OplogChange) throws(BSONFailure) {
        switch change {
        case .insert(let target, let document): touch(target.namespace, document)
        case .update(let target, let key, _): touch(target.namespace, key, isUpdate: true)
        case .delete(let target, let key): touch(target.namespace, key)
        case .command(_, .applyOps(let ops)):
            // Whether it commits does not matter: a file too many is left out then.
            for operation in ops.operations { try look(OplogChange(operation)) }
        case .command(let target, let command): stop(target.namespace.database, command)
        case .noop, .bookkeeping, .unknown: break
        }
    }

    private func touch(_ place: Namespace, _ document: BSONDocument, isUpdate: Bool = false) {
        guard let (bucket, kind) = Self.bucket(place) else { return }
        buckets.update { all in
            if kind == Self.files {
                if let id = document["_id"] { all[bucket]?.touch(id) }
            } else if let file = document["files_id"] {
                all[bucket]?.touch(file)
            } else if isUpdate {
                all[bucket]?.stop("a chunk was changed while it was read")
            }
            // A deletion names no file: those of its chunks follow the deletion of the file itself.
        }
    }

    private func stop(_ database: String, _ command: OplogCommand) {
        let names: [Namespace]
        switch command {
        case .drop(let name), .empty(let name), .convertToCapped(let name, _),
            .create(let name, _):
            names = [Namespace(database, name)]
        case .rename(let from, let to, _, _): names = [from, to]
        case .dropDatabase:
            names = kinds.keys.filter { $0.isOf(database) }
                .map { Namespace($0.database, $0.collection + "." + Self.files) }
        default: return
        }
        for (bucket, _) in names.compactMap(Self.bucket) {
            buckets.update {
                $0[bucket]?.stop("its collections were dropped, made or renamed meanwhile")
            }
        }
    }

    // MARK: the result

    func findings() -> [BaseBackupFinding] {
        let found = buckets.read { $0 }
        return found.keys.sorted().flatMap { name in
            found[name]?.findings(
                name, backup, kinds: kinds[name] ?? [], mayRepeat: backup.end > backup.start) ?? []
        }
    }
}

/// Gathers what one collection of a bucket holds; the bucket gets it when the file is read.
private final class GridFSFileCheck: BaseBackupFileCheck {
    private let name: String
    private let kind: String
    private let change: ((inout GridFSBucket) -> Void) -> Void
    private var framer = EntryFramer()
    private var files: [GridFSFile] = []
    private var chunks: [BSONValue: GridFSChunks] = [:]

    init(
        _ name: String, _ kind: String, _ change: @escaping ((inout GridFSBucket) -> Void) -> Void
    ) {
        self.name = name
        self.kind = kind
        self.change = change
    }

    func take(_ bytes: RawSpan) throws(TidemarkError) {
        let name = name
        try framer.take(Span<UInt8>(_bytes: bytes)) { (document) throws(TidemarkError) in
            do throws(BSONFailure) {
                if kind == GridFSCheck.files {
                    if let file = GridFSFile(try BSONDocument(document.array)) {
                        files.append(file)
                    }
                } else if let chunk = try GridFSChunk(document) {
                    chunks[GridFSBucket.key(chunk.file), default: GridFSChunks()].add(
                        chunk.number, size: chunk.size)
                }
            } catch {
                throw error.error(
                    .archiveDamaged, in: "a document of \(name)",
                    remedy: "bring it back from a copy of the archive, or take a new base backup")
            }
        }
    }

    func finish() throws(TidemarkError) {
        change { bucket in
            for file in files { bucket.add(file) }
            if kind == GridFSCheck.chunks { bucket.add(chunks) }
            bucket.finish(kind)
        }
    }
}

/// What matters of a chunk's document, read in place: its data are not copied.
private struct GridFSChunk {
    let file: BSONValue
    let number: Int64
    let size: Int64

    /// Nil for a document that is no chunk.
    init?(_ bytes: Span<UInt8>) throws(BSONFailure) {
        var file: BSONValue?
        var number: Int64?
        var size: Int64?
        var walker = try BSONWalker(bytes)
        while let element = try walker.next(bytes) {
            if bytes.holds("data", at: element.name), element.type == .binary {
                size = try Self.size(bytes, element.value)
                continue
            }
            let isFile = bytes.holds("files_id", at: element.name)
            guard isFile || bytes.holds("n", at: element.name) else { continue }
            let value = BSONValue(element.type, bytes.extracting(element.value).array[...])
            if isFile { file = value } else { number = value.integer }
        }
        guard let file, let number, let size else { return nil }
        self.file = file
        self.number = number
        self.size = size
    }

    /// length(4) subtype(1) data; of the old subtype 2 the data begin with their length again.
    private static func size(
        _ bytes: Span<UInt8>, _ value: Range<Int>
    ) throws(BSONFailure) -> Int64 {
        let length = Int64(bytes.int32(at: value.lowerBound))
        return bytes[value.lowerBound + 4] == 2 ? max(0, length - 4) : length
    }
}
