import Model
import Platform
import Repository

/// Pours a base backup into a copy: one thread reads, checks and decompresses, the calling thread
/// writes files. At most `limit` pieces of a mebibyte lie between them.
struct CopyPipeline {
    let repository: ArchiveRepository
    let backup: BaseBackupDescriptor
    /// Called after every piece with the bytes written so far.
    let progress: (UInt64) -> Void

    private static let limit = 16

    /// What the reader hands over.
    private enum Piece: Sendable {
        case open(StoredFile)
        case content([UInt8])
        case close
    }

    private struct Queue: Sendable {
        var pieces: [Piece] = []
        var isFinished = false
        var failure: TidemarkError?
        /// The writer has failed: the reader must not go on.
        var isAbandoned = false
    }

    /// The order in which a copy wants its files.
    static func ordered(_ files: [StoredFile]) -> [StoredFile] {
        let rank: [StoredFile.Role: Int] = [
            .manifest: 0, .configuration: 1, .tablespace: 2, .data: 3,
        ]
        return files.enumerated().sorted {
            (rank[$0.element.role] ?? 4, $0.offset) < (rank[$1.element.role] ?? 4, $1.offset)
        }.map(\.element)
    }

    func run(into copy: any Restoration) throws(TidemarkError) {
        let queue = Monitor(Queue())
        let reader = startReader(queue)
        do throws(TidemarkError) {
            try write(queue, into: copy)
        } catch {
            queue.update { $0.isAbandoned = true }
            // Its error, if any, is the one thrown here or came after it.
            _ = try? reader.join()
            throw error
        }
        try reader.join()
    }

    private func startReader(_ queue: Monitor<Queue>) -> DedicatedThread<Void> {
        let source = StoredFileReader(
            repository: repository, folder: Layout.backup(backup.source, backup.id))
        let files = Self.ordered(backup.files)
        return DedicatedThread("restore-read") { () throws(TidemarkError) in
            do throws(TidemarkError) {
                for file in files {
                    try Self.put(.open(file), queue)
                    try source.read(file) { (bytes) throws(TidemarkError) in
                        try Self.put(.content(bytes), queue)
                    }
                    try Self.put(.close, queue)
                }
                queue.update { $0.isFinished = true }
            } catch {
                queue.update { $0.failure = error }
                throw error
            }
        }
    }

    private static func put(_ piece: Piece, _ queue: Monitor<Queue>) throws(TidemarkError) {
        let goesOn = queue.wait { queue -> Bool? in
            if queue.isAbandoned { return false }
            guard queue.pieces.count < limit else { return nil }
            queue.pieces.append(piece)
            return true
        }
        if goesOn != true { throw TidemarkError(.cancelled, "the restore was ended") }
    }

    private func write(
        _ queue: Monitor<Queue>, into copy: any Restoration
    ) throws(TidemarkError) {
        var written: UInt64 = 0
        while true {
            let taken: Result<[Piece], TidemarkError>? = queue.wait { queue in
                if let failure = queue.failure { return .failure(failure) }
                if !queue.pieces.isEmpty {
                    defer { queue.pieces = [] }
                    return .success(queue.pieces)
                }
                return queue.isFinished ? .success([]) : nil
            }
            guard let taken else { preconditionFailure("a wait without limit ended") }
            let pieces = try taken.get()
            if pieces.isEmpty { return }
            for piece in pieces {
                try hand(piece, to: copy)
                guard case .content(let bytes) = piece else { continue }
                written += UInt64(bytes.count)
                progress(written)
            }
        }
    }

    /// What the copy finds wrong with the content is wrong with the base backup.
    private func hand(
        _ piece: Piece, to copy: any Restoration
    ) throws(TidemarkError) {
        do throws(TidemarkError) {
            switch piece {
            case .open(let file): try copy.open(file)
            case .content(let bytes): try unsafe copy.write(bytes.span.bytes)
            case .close: try copy.close()
            }
        } catch let error where [.archiveDamaged, .archiveIncomplete].contains(error.code) {
            throw TidemarkError(
                error.code, error.message,
                remedy: StoredFileReader.remedy(Layout.backup(backup.source, backup.id)),
                cause: error.cause)
        }
    }
}
