import Glibc
import Model
import Platform

/// Operations of a transaction that is not decided, in order: the first in a file once they were
/// too many, the others in memory.
///
/// The file has no name, so nothing is left of it whatever happens. It lies in `TMPDIR`, else in
/// `/var/tmp`: `/tmp` may be memory.
struct HeldOperations {
    private(set) var count = 0
    /// Of those in memory.
    private(set) var bytes = 0
    private var held: [BSONDocument] = []
    private var file: NamelessFile?

    private static let pieceBytes = 1 << 20

    mutating func append(_ operations: [BSONDocument]) {
        held += operations
        count += operations.count
        bytes += operations.reduce(0) { $0 + $1.bytes.count }
    }

    /// Moves what is in memory into the file.
    mutating func spill() throws(TidemarkError) {
        let file: NamelessFile
        if let known = self.file { file = known } else { file = try NamelessFile() }
        self.file = file
        var piece: [UInt8] = []
        for operation in held {
            piece += operation.bytes
            if piece.count >= Self.pieceBytes {
                try file.append(piece)
                piece.removeAll(keepingCapacity: true)
            }
        }
        try file.append(piece)
        held = []
        bytes = 0
    }

    func each(
        _ body: (BSONDocument) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        var framer = EntryFramer()
        try file?.read { (bytes) throws(TidemarkError) in
            try framer.take(bytes) { (operation) throws(TidemarkError) in
                try body(BSONDocument(sound: operation.array))
            }
        }
        for operation in held { try body(operation) }
    }
}

/// Grows at its end, and is gone with whoever holds it.
private final class NamelessFile {
    private let file: File
    private var length: UInt64 = 0

    private static let readBytes = 1 << 20

    init() throws(TidemarkError) {
        let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/var/tmp"
        let path = "\(folder)/tidemark-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        do throws(SystemFailure) {
            file = try File(path, .creating, mode: 0o600)
            try SystemCalls().remove(path)
        } catch {
            throw Self.failed(error)
        }
    }

    func append(_ bytes: [UInt8]) throws(TidemarkError) {
        do throws(SystemFailure) {
            try unsafe file.write(at: length, bytes.span.bytes)
        } catch {
            throw Self.failed(error)
        }
        length += UInt64(bytes.count)
    }

    func read(
        _ body: (Span<UInt8>) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        var place: UInt64 = 0
        while place < length {
            let bytes: [UInt8]
            do throws(SystemFailure) {
                bytes = try file.read(at: place, Self.readBytes)
            } catch {
                throw Self.failed(error)
            }
            try body(bytes.span)
            place += UInt64(bytes.count)
        }
    }

    private static func failed(_ failure: SystemFailure) -> TidemarkError {
        TidemarkError(
            .failed, "a large transaction cannot be kept until it commits: \(failure.message)",
            remedy: "name a folder with room for it in TMPDIR, and give the same command again: it "
                + "goes on where it stopped")
    }
}
