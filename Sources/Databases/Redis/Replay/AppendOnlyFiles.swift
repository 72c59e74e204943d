import Model
import Platform

/// The append-only files of a restored server, being written.
///
/// From 7.0 on a folder of parts (`aof.c`, "multi part AOF"), which the server reads in the order
/// of its manifest:
///
/// ```
/// appendonlydir/appendonly.aof.1.base.rdb    the base RDB, byte for byte
/// appendonlydir/appendonly.aof.1.incr.aof    SELECT, then the stream up to the stop
/// appendonlydir/appendonly.aof.manifest      written last, by rename
/// ```
///
/// Before 7.0 one file, `appendonly.aof`: the RDB and the commands behind it. Until everything is
/// durable the manifest, or the single file, holds a line that no server accepts, so that an
/// interrupted restore is never taken for an empty server.
struct AppendOnlyFiles: ~Copyable {
    private let root: String
    private let isMultiPart: Bool
    private var file: File?
    private var size: UInt64 = 0
    private var buffer: [UInt8] = []

    private static let bufferBytes = 1 << 20
    private static let base = "appendonly.aof.1.base.rdb"
    private static let increment = "appendonly.aof.1.incr.aof"
    private static let manifest = "appendonly.aof.manifest"
    private static let single = "appendonly.aof"
    private static let unfinished = "tidemark-unfinished.aof"

    init(_ root: String, isMultiPart: Bool) {
        self.root = root
        self.isMultiPart = isMultiPart
    }

    /// Whether a file of this name in a server's folder is the server's, or a restore's.
    static func isServerFile(_ name: String) -> Bool {
        switch name {
        case "appendonlydir", single, unfinished, RestoredSettings.fileName,
            RestoredStart.pidName, RestoredStart.logName, "nodes.conf":
            true
        default: name.hasSuffix(".rdb") || name.hasSuffix(".aof")
        }
    }

    private var folder: String { isMultiPart ? root + "/appendonlydir" : root }

    /// Size of the file being written.
    var written: UInt64 { size + UInt64(buffer.count) }

    // MARK: writing

    mutating func beginBase() throws(TidemarkError) {
        let folder = folder
        try translated { () throws(SystemFailure) in try Directory.makeAll(folder) }
        try Self.writeWhole(
            folder + "/" + (isMultiPart ? Self.manifest : Self.single),
            "this restore is not finished\n")
        file = try open(isMultiPart ? Self.base : Self.unfinished)
        size = 0
    }

    /// The base is whole; the stream follows.
    mutating func beginStream(database: Int) throws(TidemarkError) {
        if isMultiPart {
            try finishFile()
            file = try open(Self.increment)
            size = 0
        }
        // The loader reads each file with a client of its own, which begins in database 0.
        try append(
            Array("*2\r\n$6\r\nSELECT\r\n$\(String(database).count)\r\n\(database)\r\n".utf8))
    }

    private mutating func append(_ bytes: [UInt8]) throws(TidemarkError) {
        try append(unsafe bytes.span.bytes)
    }

    mutating func append(_ bytes: RawSpan) throws(TidemarkError) {
        if bytes.byteCount >= Self.bufferBytes {
            try flush()
            try write(bytes)
            return
        }
        bytes.append(to: &buffer)
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    private mutating func flush() throws(TidemarkError) {
        guard !buffer.isEmpty else { return }
        let full = buffer
        buffer.removeAll(keepingCapacity: true)
        try write(unsafe full.span.bytes)
    }

    private mutating func write(_ bytes: RawSpan) throws(TidemarkError) {
        let offset = size
        do throws(SystemFailure) {
            try file!.write(at: offset, bytes)
            file!.adviseWritten(at: offset, UInt64(bytes.byteCount))
        } catch {
            throw error.asTidemarkError
        }
        size += UInt64(bytes.byteCount)
    }

    private func open(_ name: String) throws(TidemarkError) -> File {
        let path = folder + "/" + name
        return try translated { () throws(SystemFailure) in try File(path, .replacing) }
    }

    // MARK: finishing

    /// Cuts the file being written to `length` bytes.
    mutating func cut(to length: UInt64) throws(TidemarkError) {
        try flush()
        precondition(length <= size, "a file is cut, not grown")
        do throws(SystemFailure) {
            try file!.truncate(length)
        } catch {
            throw error.asTidemarkError
        }
        size = length
    }

    /// Makes everything durable and gives it the names a server reads.
    mutating func complete() throws(TidemarkError) {
        try finishFile()
        let folder = folder
        if isMultiPart {
            let temporary = folder + "/temp-" + Self.manifest
            try Self.writeWhole(
                temporary,
                "file \(Self.base) seq 1 type b\nfile \(Self.increment) seq 1 type i\n")
            try Self.rename(temporary, folder + "/" + Self.manifest)
        } else {
            try Self.rename(folder + "/" + Self.unfinished, folder + "/" + Self.single)
        }
        try translated { () throws(SystemFailure) in
            try Directory.sync(folder)
            try Directory.sync(Directory.parent(folder))
        }
    }

    private mutating func finishFile() throws(TidemarkError) {
        try flush()
        do throws(SystemFailure) {
            try file!.syncData()
        } catch {
            throw error.asTidemarkError
        }
        file = nil
    }

    static func writeWhole(_ path: String, _ text: String) throws(TidemarkError) {
        let bytes = Array(text.utf8)
        try translated { () throws(SystemFailure) in
            let file = try File(path, .replacing)
            try file.write(at: 0, unsafe bytes.span.bytes)
            try file.syncData()
        }
    }

    private static func rename(_ from: String, _ to: String) throws(TidemarkError) {
        try translated { () throws(SystemFailure) in try SystemCalls().rename(from, to) }
    }
}
