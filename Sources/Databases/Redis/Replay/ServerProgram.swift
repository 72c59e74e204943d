import Model
import Platform

/// The `redis-server` or `valkey-server` of this machine.
struct ServerProgram: Sendable {
    let path: String
    let release: ServerRelease

    /// Finds a server that can read the backup. Without one it is an error only when the server is
    /// to be started; else a line for the operator.
    static func find(
        _ order: RestoreOrder, source: ServerRelease
    ) throws(TidemarkError) -> (ServerProgram?, [String]) {
        do throws(TidemarkError) {
            let programs = try look(order.programs, source)
            guard let program = programs.first(where: { $0.release.reads(source) }) else {
                let found = programs.map { "\($0.path) is version \($0.release)" }
                throw TidemarkError(
                    .toolMissing,
                    "\(found.joined(separator: ", ")), the source was \(source), whose RDB it "
                        + "cannot read",
                    remedy: "install \(source.readers)")
            }
            return (program, [])
        } catch {
            if order.starts { throw error }
            return (nil, [error.message])
        }
    }

    /// All that are there, the source's kind first.
    private static func look(
        _ folders: [String], _ source: ServerRelease
    ) throws(TidemarkError) -> [ServerProgram] {
        var failure: TidemarkError?
        var found: [ServerProgram] = []
        let names = ["redis-server", "valkey-server"]
        for name in source.isValkey ? names.reversed() : names {
            for path in folders.isEmpty ? [name] : folders.map({ $0 + "/" + name }) {
                do throws(TidemarkError) {
                    let done = try Subprocess.run(path, ["--version"], seconds: 20)
                    if let release = release(done.output) {
                        found.append(ServerProgram(path: path, release: release))
                    }
                } catch {
                    if failure == nil { failure = error }
                }
            }
        }
        if !found.isEmpty { return found }
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

    /// `Redis server v=7.0.15 sha=…`, `Valkey server v=8.1.1 sha=…`
    static func release(_ text: String) -> ServerRelease? {
        for word in text.split(separator: " ") where word.hasPrefix("v=") {
            return ServerRelease(
                isValkey: text.hasPrefix("Valkey"), version: RedisVersion(String(word.dropFirst(2)))
            )
        }
        return nil
    }
}
