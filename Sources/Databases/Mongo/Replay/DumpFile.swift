import Glibc
import Model
import Platform

/// A file being written from front to back.
final class DumpFile {
    private let file: File
    private var size: UInt64 = 0
    /// Up to where the kernel was told to write.
    private var advised: UInt64 = 0
    private static let adviceBytes: UInt64 = 8 << 20

    init(_ path: String) throws(TidemarkError) {
        do throws(SystemFailure) {
            file = try File(path, .replacing)
        } catch {
            throw error.asTidemarkError
        }
    }

    func append(_ bytes: RawSpan) throws(TidemarkError) {
        do throws(SystemFailure) {
            try file.write(at: size, bytes)
        } catch {
            throw error.asTidemarkError
        }
        size += UInt64(bytes.byteCount)
        guard size - advised >= Self.adviceBytes else { return }
        file.adviseWritten(at: advised, size - advised)
        advised = size
    }

    /// Durable on return.
    func finish() throws(TidemarkError) {
        do throws(SystemFailure) {
            try file.syncData()
        } catch {
            throw error.asTidemarkError
        }
    }

    /// Durable on return.
    static func rename(
        _ from: String, to: String, in folder: String
    ) throws(TidemarkError) {
        guard unsafe Glibc.rename(from, to) == 0 else {
            throw TidemarkError(.failed, "cannot rename \(from) to \(to) (errno \(errno))")
        }
        do throws(SystemFailure) {
            try Directory.sync(folder)
        } catch {
            throw error.asTidemarkError
        }
    }
}
