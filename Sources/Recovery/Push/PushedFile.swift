import Glibc
import Model
import Platform

/// A file that the database hands over: read in pieces, never changed.
final class PushedFile {
    let name: String
    let bytes: UInt64
    private let file: File

    static let pieceBytes = 1 << 20

    init(_ path: String) throws(TidemarkError) {
        let advice = "archive_command must pass %p, the path of the file"
        let opened: File
        let size: UInt64
        do throws(SystemFailure) {
            opened = try File(path, .reading)
        } catch {
            throw TidemarkError(.failed, "cannot read \(path): \(error.reason)", remedy: advice)
        }
        do throws(SystemFailure) {
            size = try opened.status().size
        } catch {
            throw TidemarkError(.failed, "cannot read \(path): \(error.reason)", remedy: advice)
        }
        file = opened
        bytes = size
        name = path.split(separator: "/").last.map(String.init) ?? path
    }

    /// Empty at the end.
    func read(at offset: UInt64) throws(TidemarkError) -> [UInt8] {
        do throws(SystemFailure) {
            return try file.read(at: offset, Self.pieceBytes)
        } catch {
            throw TidemarkError(.failed, "cannot read \(name): \(error.reason)")
        }
    }
}
