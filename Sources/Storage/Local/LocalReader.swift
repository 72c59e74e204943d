import Model
import Platform

/// Reads a file from front to back.
final class LocalReader: ObjectReader {
    let size: UInt64
    private let root: LocalRoot
    private var file: File?
    private var offset: UInt64

    /// Nil when the file does not exist.
    init?(
        _ path: String, at offset: UInt64, _ root: LocalRoot, _ calls: SystemCalls
    ) throws(TidemarkError) {
        self.root = root
        self.offset = offset
        do throws(SystemFailure) {
            let opened = try File(path, .reading, calls: calls)
            let status = try opened.status()
            guard status.isRegularFile else { return nil }
            opened.adviseSequential()
            size = status.size
            file = consume opened
        } catch {
            if error.isAbsence { return nil }
            throw LocalFailure.error(for: error, root: root.path)
        }
    }

    func read(_ limit: Int) throws(TidemarkError) -> [UInt8] {
        precondition(file != nil, "an object is not read after it was closed")
        // Not more than there was at the start: a reader sees one state of the object.
        let wanted = Int(min(UInt64(limit), size > offset ? size - offset : 0))
        if wanted == 0 { return [] }
        let bytes = try root.translating { () throws(SystemFailure) in
            try file!.read(at: offset, wanted)
        }
        offset += UInt64(bytes.count)
        return bytes
    }

    func close() { file = nil }
}
