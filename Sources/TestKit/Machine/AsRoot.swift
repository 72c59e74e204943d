package import Model
package import Platform

/// Programs that a test has to run as root, as mounting takes: by ourselves where we are root, else
/// through sudo, where that asks for no password.
package enum AsRoot {
    /// Runs a program to its end. Throws `failed` where we may not become root.
    package static func run(
        _ program: String, _ words: [String], seconds: Double = 120
    ) throws(TidemarkError) -> CompletedProcess {
        if UserIdentity.isRoot { return try Subprocess.run(program, words, seconds: seconds) }
        guard try mayBecomeRoot.get() else {
            throw TidemarkError(
                .failed,
                "this test runs \(program) as root, and \(UserIdentity.currentName) may not "
                    + "without a password",
                remedy: "run the tests as root, or allow it: echo '\(UserIdentity.currentName) "
                    + "ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/tests # as root")
        }
        return try Subprocess.run("sudo", ["-n", program] + words, seconds: seconds)
    }

    /// The same, of what has to succeed. Throws `failed` with its errors when it does not.
    package static func succeed(_ program: String, _ words: [String]) throws(TidemarkError) {
        let done = try run(program, words)
        guard !done.status.isSuccess else { return }
        throw TidemarkError(
            .failed, "\(program) \(words.joined(separator: " ")): \(done.status): \(done.errors)")
    }

    private static let mayBecomeRoot: Result<Bool, TidemarkError> = {
        do throws(TidemarkError) {
            let done = try Subprocess.run("sudo", ["-n", "true"], seconds: 30)
            return .success(done.status.isSuccess)
        } catch  where error.code == .toolMissing {
            return .success(false)
        } catch {
            return .failure(error)
        }
    }()
}
