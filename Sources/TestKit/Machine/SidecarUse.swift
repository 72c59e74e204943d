package import Model
package import Platform
package import Testing

/// A configuration file beside a test server, and the program that is run with it.
package protocol SidecarUse {
    var config: String { get }
    /// Where the program runs.
    var folder: String { get }
    /// Who runs it; nil: the test's own user.
    var user: UserIdentity? { get }
}

extension SidecarUse {
    package var environment: [String: String] { ["HOME": folder] }

    /// Starts `tidemark run`.
    package func start(_ words: [String] = []) throws(TidemarkError) -> TidemarkProcess {
        try TidemarkProcess(
            ["run", "--config", config] + words, environment: environment, directory: folder,
            user: user)
    }

    /// Starts `tidemark run` and waits for the first base backup.
    package func startWithBackup() throws(TidemarkError) -> TidemarkProcess {
        let sidecar = try start()
        try sidecar.waitForLog("base backup finished", seconds: 90)
        return sidecar
    }

    /// Runs another command to its end.
    package func tidemark(
        _ words: [String], seconds: Double = 90
    ) throws(TidemarkError) -> CompletedProcess {
        try TidemarkProcess.run(
            words + ["--config", config], environment: environment, directory: folder, user: user,
            seconds: seconds)
    }

    /// Runs a command and expects its exit status; returns what it said on either output.
    @discardableResult
    package func expect(
        _ code: Int32, _ words: [String], location: SourceLocation = #_sourceLocation
    ) throws -> String {
        let done = try tidemark(words)
        let text = done.output + done.errors
        #expect(
            done.status == .exited(code), "\(words) said: \(text)", sourceLocation: location)
        return text
    }

    package func status() throws -> StatusReport {
        let done = try tidemark(["status", "--json"])
        guard done.status.isSuccess else {
            throw TidemarkError(.failed, "status: \(done.errors)")
        }
        return try StatusReport.first(of: done.output)
    }
}
