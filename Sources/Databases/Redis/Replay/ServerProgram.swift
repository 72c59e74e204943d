import Model
import Platform

/// The `redis-server` or `valkey-server` of this machine.
struct ServerProgram: Sendable {
    let path: String
    let release: ServerRelease

    /// Finds a server that can read the backup. Without one it is an error only when the server is
    /// to be started; else a line for the operator.
    static func find(_ order: RestoreOrder) throws(TidemarkError) -> (ServerProgram?, [String]) {
        do throws(TidemarkError) {
            return (try look(order), [])
        } catch {
            if order.starts { throw error }
            return (nil, [error.message])
        }
    }

    /// The source's own kind first, then the other one.
    private static func look(_ order: RestoreOrder) throws(TidemarkError) -> ServerProgram {
        let names = ["redis-server", "valkey-server"]
        var failure: TidemarkError?
        var unfit: ServerProgram?
        for name in order.release.isValkey ? names.reversed() : names {
            let folders = order.programs
            for path in folders.isEmpty ? [name] : folders.map({ $0 + "/" + name }) {
                do throws(TidemarkError) {
                    let done = try Subprocess.run(path, ["--version"], seconds: 20)
                    guard let release = release(done.output) else { continue }
                    let program = ServerProgram(path: path, release: release)
                    if order.canBeRead(by: release) { return program }
                    if unfit == nil { unfit = program }
                } catch {
                    if failure == nil { failure = error }
                }
            }
        }
        if let unfit { throw unfit.refusal(order) }
        throw failure
            ?? TidemarkError(
                .toolMissing, "cannot find redis-server", remedy: "install Redis on this machine")
    }

    private func refusal(_ order: RestoreOrder) -> TidemarkError {
        TidemarkError(
            .toolMissing,
            "\(path) is version \(release), the source was \(order.release), whose RDB it cannot "
                + "read",
            remedy: "install \(order.release.readers)")
    }

    /// For the operator's shell.
    static func quoted(_ path: String) -> String {
        "'"
            + path.split(separator: "'", omittingEmptySubsequences: false).joined(
                separator: "'\\''")
            + "'"
    }

    /// `Redis server v=7.0.15 sha=…`, `Valkey server v=8.1.1 …`
    static func release(_ text: String) -> ServerRelease? {
        let words = text.split(separator: " ")
        guard let number = words.first(where: { $0.hasPrefix("v=") }) else { return nil }
        return ServerRelease(
            isValkey: words[0] == "Valkey", RedisVersion(String(number.dropFirst(2))))
    }
}
