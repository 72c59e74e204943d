import Model
import Platform

/// The `redis-server` of this machine.
struct ServerProgram: Sendable {
    let path: String
    let version: RedisVersion

    /// Finds a server that can read the backup. Without one it is an error only when the server is
    /// to be started; else a line for the operator.
    static func find(
        _ order: RestoreOrder, sourceVersion: RedisVersion
    ) throws(TidemarkError) -> (ServerProgram?, [String]) {
        do throws(TidemarkError) {
            let program = try look(order.programs)
            guard
                (program.version.major, program.version.minor)
                    >= (sourceVersion.major, sourceVersion.minor)
            else {
                throw TidemarkError(
                    .toolMissing,
                    "\(program.path) is version \(program.version), the source was "
                        + order.backup.server.version,
                    remedy: "install redis-server \(sourceVersion.major).\(sourceVersion.minor) or "
                        + "later: an older one cannot read the RDB")
            }
            return (program, [])
        } catch {
            if order.starts { throw error }
            return (nil, [error.message])
        }
    }

    private static func look(_ folders: [String]) throws(TidemarkError) -> ServerProgram {
        var failure: TidemarkError?
        for name in ["redis-server", "valkey-server"] {
            for path in folders.isEmpty ? [name] : folders.map({ $0 + "/" + name }) {
                do throws(TidemarkError) {
                    let done = try Subprocess.run(path, ["--version"], seconds: 20)
                    if let version = version(done.output) {
                        return ServerProgram(path: path, version: version)
                    }
                } catch {
                    if failure == nil { failure = error }
                }
            }
        }
        throw failure
            ?? TidemarkError(
                .toolMissing, "cannot find redis-server", remedy: "install Redis on this machine")
    }

    /// For the operator's shell.
    static func quoted(_ path: String) -> String {
        "'"
            + path.split(separator: "'", omittingEmptySubsequences: false).joined(
                separator: "'\\''")
            + "'"
    }

    /// `Redis server v=7.0.15 sha=…`
    static func version(_ text: String) -> RedisVersion? {
        for word in text.split(separator: " ") where word.hasPrefix("v=") {
            return RedisVersion(String(word.dropFirst(2)))
        }
        return nil
    }
}
