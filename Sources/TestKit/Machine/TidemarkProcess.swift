package import Model
package import Platform
import Glibc

/// The built `tidemark` program, run as a child of the test.
///
/// The program is looked for beside the test bundle; a test target that uses it must depend on
/// `tidemark`. It dies with the test process.
package final class TidemarkProcess: Sendable {
    package let process: Subprocess

    /// Starts `tidemark` with arguments.
    ///
    /// - Parameter user: run as this user (`PostgresTools.user` for restores); nil: as ourselves.
    package init(
        _ arguments: [String], environment: [String: String] = [:], directory: String? = nil,
        user: UserIdentity? = nil
    ) throws(TidemarkError) {
        process = try Subprocess(
            Self.program(), arguments,
            SubprocessOptions(
                environment: environment, directory: directory, user: user,
                signalOnParentDeath: .kill))
    }

    deinit {
        process.signal(SIGKILL)
        process.wait()
    }

    /// Runs `tidemark` to its end.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:], directory: String? = nil,
        user: UserIdentity? = nil, input: [UInt8] = [], seconds: Double = 120
    ) throws(TidemarkError) -> CompletedProcess {
        try Subprocess.run(
            program(), arguments,
            SubprocessOptions(
                environment: environment, directory: directory, user: user, input: input,
                signalOnParentDeath: .kill), seconds: seconds)
    }

    /// Path of the built program.
    package static func program() throws(TidemarkError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            readlink("/proc/self/exe", bytes.assumingMemoryBound(to: CChar.self).baseAddress!, 4096)
        }
        var folder = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        // The runner may lie in the toolchain; the bundle's own path is then among the arguments.
        let starts = [folder] + CommandLine.arguments
        for start in starts {
            folder = start
            while let slash = folder.lastIndex(of: "/") {
                folder = String(folder[..<slash])
                let path = folder + "/tidemark"
                if isProgram(path) { return path }
            }
        }
        throw TidemarkError(
            .toolMissing, "cannot find the built tidemark program beside \(starts[0])",
            remedy: "run `swift build --product tidemark`")
    }

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            && access(path, X_OK) == 0
    }

    // MARK: the running program

    /// kill -9, and waits until it is gone.
    package func kill9() {
        process.signal(SIGKILL)
        process.wait()
    }

    /// SIGTERM, and waits for the end. Throws `failed` after `seconds`.
    @discardableResult
    package func terminate(seconds: Double = 60) throws(TidemarkError) -> ExitStatus {
        process.signal(SIGTERM)
        guard let status = process.wait(seconds: seconds) else {
            throw TidemarkError(
                .failed,
                "tidemark did not end within \(seconds) s after SIGTERM: "
                    + process.errors.suffix(1500))
        }
        return status
    }

    /// What it wrote to standard error.
    package var log: String { process.errors }
    package var isRunning: Bool { process.status == nil }

    /// Its largest resident size so far in MiB, proc(5)'s VmHWM; nil once it has ended.
    package var peakMebibytes: Int? {
        textFile("/proc/\(process.pid)/status").split(separator: "\n")
            .first { $0.hasPrefix("VmHWM:") }?
            .split(whereSeparator: \.isWhitespace).dropFirst().first
            .flatMap { Int($0) }.map { $0 / 1024 }
    }

    /// Waits until `text` stands in the log. Throws `failed` when it ended
    /// or `seconds` passed before.
    package func waitForLog(_ text: String, seconds: Double = 60) throws(TidemarkError) {
        guard process.waitForOutput(seconds: seconds, { $1.contains(text) }) else {
            let state = process.status.map { "it ended with \($0)" } ?? "it still runs"
            throw TidemarkError(
                .failed,
                "\(text) did not appear in the log; \(state): "
                    + process.errors.suffix(1500))
        }
    }
}
