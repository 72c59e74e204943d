import Model
import Platform
import Glibc

/// Fresh data directories: initdb runs once per process and kind, every server gets a copy.
enum PostgresTemplate {
    private struct Kind: Hashable {
        var segmentMebibytes: Int
        var checksums: Bool
        var authentication: PostgresOptions.Authentication
        var bin: String
    }

    private static let made = Monitor<[Kind: ScratchDirectory]>([:])

    /// Makes `target` (which must not exist) a new data directory.
    static func copy(to target: String, _ options: PostgresOptions) throws(TidemarkError) {
        let kind = Kind(
            segmentMebibytes: options.segmentMebibytes, checksums: options.checksums,
            authentication: options.authentication, bin: options.bin)
        let template = try template(kind)
        try run("/bin/cp", ["-a", template.path + "/data", target], "copy a data directory")
    }

    /// Waiters of the same and of other kinds wait here; initdb is short and bound by the
    /// processor.
    private static func template(_ kind: Kind) throws(TidemarkError) -> ScratchDirectory {
        let result: Result<ScratchDirectory, TidemarkError> = made.update { known in
            if let template = known[kind] { return .success(template) }
            do throws(TidemarkError) {
                let template = try make(kind)
                known[kind] = template
                return .success(template)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func make(_ kind: Kind) throws(TidemarkError) -> ScratchDirectory {
        let scratch = try ScratchDirectory(owner: PostgresTools.user)
        var words = [
            "-D", scratch.path + "/data", "-U", "postgres", "--encoding=UTF8", "--locale=C",
            "--no-sync", "--wal-segsize=\(kind.segmentMebibytes)",
        ]
        if kind.checksums { words.append("--data-checksums") }
        switch kind.authentication {
        case .trust:
            words.append("--auth=trust")
        case .password(let password):
            let file = scratch.path + "/password"
            try run(
                "/bin/sh", ["-c", "cat > \"$0\"", file], "write a password file",
                input: Array((password + "\n").utf8))
            words += ["--auth=scram-sha-256", "--pwfile=\(file)"]
        }
        try run(kind.bin + "/initdb", words, "initdb")
        return scratch
    }

    private static func run(
        _ program: String, _ words: [String], _ what: String, input: [UInt8] = []
    ) throws(TidemarkError) {
        let done = try Subprocess.run(
            program, words,
            SubprocessOptions(directory: "/tmp", user: PostgresTools.user, input: input),
            seconds: 120)
        if !done.status.isSuccess {
            throw TidemarkError(.failed, "cannot \(what): \(done.status): \(done.errors)")
        }
    }
}
