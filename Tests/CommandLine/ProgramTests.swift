import Glibc
import Model
import Platform
import TestKit
import Testing

/// The built program, as a user meets it.
@Suite struct ProgramTests {
    private func run(
        _ arguments: [String], directory: String? = nil, environment: [String: String] = [:]
    ) async throws -> CompletedProcess {
        try await offPool {
            try TidemarkProcess.run(
                arguments, environment: environment, directory: directory ?? "/", seconds: 30)
        }
    }

    /// Where no file is named none is found, whatever this machine has in /etc.
    private static let unconfigured = ["TIDEMARK_CONFIG": "/nonexistent.yml"]

    @Test(arguments: [
        [], ["--help"], ["restore", "--help"], ["wal", "--help"], ["wal", "fetch", "--help"],
        ["--version"], ["help", "status"],
    ])
    func `help is a result: status 0, on standard output`(arguments: [String]) async throws {
        let done = try await run(arguments)
        #expect(done.status == .exited(0))
        #expect(!done.output.isEmpty && done.errors.isEmpty)
    }

    @Test(arguments: [["--version"], ["status"]])
    func `the process ends without exit handlers, that free what its threads still use`(
        arguments: [String]
    ) async throws {
        // The loader tells what it does, the end of each library among it.
        let done = try await run(
            arguments,
            environment: Self.unconfigured.merging(["LD_DEBUG": "files"]) { first, _ in first })
        #expect(done.errors.contains("calling init: "))
        #expect(!done.errors.contains("calling fini: "))
    }

    @Test(arguments: [
        ["frobnicate"], ["status", "--bogus"], ["mark"], ["restore", "--to", "latest"],
        ["restore", "--into", "x"], ["restore", "--to", "yesterday", "--into", "x"],
        ["backup", "Not valid"], ["status", "--watch", "--check"], ["run", "postgres://db"],
        ["run", "--repository", "/srv/a"], ["status", "extra"], ["--config"],
        ["mark", "two words"], ["status"], ["--config", "/nonexistent.yml", "check"],
        ["check", "--config", "/nonexistent.yml"], ["wal", "push"], ["wal", "frobnicate"],
        ["list", "--repository", "relative"], ["list", "--repository", "/a", "--config", "b"],
        ["restore", "--to", "latest", "--into", "x", "--port", "5", "--repository", "/a"],
        ["restore", "--to", "latest", "--into", "a", "--into", "b", "--repository", "/a"],
        ["restore", "--to", "latest", "--into", "a", "--tablespace", "x", "--repository", "/a"],
        ["restore", "--to", "latest", "--into", "x=", "--repository", "/a"],
        ["list", "--json=3"], ["export"], ["find", "--around", "noon"],
        ["run", "--log-format", "x"],
        ["restore", "--to", "latest", "--into", "x", "--expiry", "never", "--repository", "/a"],
        ["backup", "--repository", "X"], ["wal", "push", "a", "b"], ["verify", "--deeep"],
        ["export", "ledger", "--to", "latest"], ["status", "--config"], ["init", "a", "b"],
    ])
    func `wrong usage is status 2, one or two lines, and no result`(arguments: [String])
        async throws
    {
        let done = try await run(arguments, environment: Self.unconfigured)
        #expect(done.status == .exited(2), "\(arguments): \(done.status) \(done.errors)")
        #expect(done.output.isEmpty)
        #expect(done.errors.hasPrefix("tidemark: "))
        #expect(done.errors.hasSuffix("\n") && !done.errors.hasSuffix("\n\n"))
        let lines = done.errors.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect((1...2).contains(lines.count), "\(arguments): \(done.errors)")
    }

    @Test(arguments: [
        ["wal", "fetch"], ["wal", "fetch", "--bogus", "a", "b"], ["wal", "fetch", "a", "b"],
        ["--config", "/nonexistent.yml", "wal", "fetch", "a", "b"],
        ["wal", "--config", "/nonexistent.yml", "fetch", "a", "b"],
        ["wal", "fetch", "--repository", "relative", "a", "b"],
        ["wal", "fetch", "--source", "Not valid", "a", "b"],
    ])
    func `a wrong restore_command never looks like the end of the archive`(
        arguments: [String]
    ) async throws {
        let done = try await run(arguments, environment: Self.unconfigured)
        #expect(done.status == .exited(126), "\(arguments): \(done.status)")
    }

    @Test func `the configuration file may stand before and after the command`() async throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path + "/wrong.yml"
        try await offPool {
            let shell = try Subprocess.run(
                "/bin/sh", ["-c", "echo 'repositry: {}' > \(path)"], seconds: 10)
            #expect(shell.status.isSuccess)
        }
        let text = "tidemark: \(path):1: repositry: unknown key\ndid you mean repository?\n"
        for arguments in [["--config", path, "check"], ["check", "--config", path]] {
            #expect(try await run(arguments).errors == text)
        }
        let variable = try await run(["check"], environment: ["TIDEMARK_CONFIG": path])
        #expect(variable.errors == text && variable.status == .exited(2))
    }

    @Test(arguments: [
        ["list", "redis://:hunter2@h/0"], ["list", "--expiry=redis://:hunter2@h"],
        ["list", "--json=redis://u:hunter2@h"], ["status", "mongodb://h/?password=hunter2"],
        ["restore", "--to", "latest", "--into", "x", "--expiry", "redis://:hunter2@h"],
        ["redis://:hunter2@h"], ["wal", "redis://:hunter2@h"], ["list", "--redis://:hunter2@h"],
    ])
    func `wrong usage tells no password`(arguments: [String]) async throws {
        let done = try await run(arguments, environment: Self.unconfigured)
        #expect(done.status == .exited(2))
        #expect(!done.errors.contains("hunter2"), "\(done.errors)")
    }

    @Test func `what needs the archive alone needs no secret of a source`() async throws {
        let scratch = try ScratchDirectory()
        let config = scratch.path + "/tidemark.yml"
        try await offPool {
            let shell = try Subprocess.run(
                "/bin/sh",
                [
                    "-c",
                    """
                    mkdir "$0/repo" && cat > "$0/tidemark.yml" <<'END'
                    repository: { url: "file://${PLACE}/repo" }
                    sources:
                      ledger: { url: "postgresql://tidemark:${LEDGER_PASSWORD}@db/postgres" }
                    END
                    """, scratch.path,
                ], seconds: 10)
            #expect(shell.status.isSuccess)
        }
        let place = ["PLACE": scratch.path, "LEDGER_PASSWORD_FILE": "/nonexistent"]
        for (words, status) in [
            (["status"], 5), (["list"], 5), (["verify"], 5),
            (["restore", "--to", "latest", "--into", "x", "--user", "postgres"], 5),
        ] as [([String], Int32)] {
            let done = try await run(words + ["--config", config], environment: place)
            #expect(done.errors.contains("no archive at"), "\(words): \(done.errors)")
            #expect(done.status == .exited(status), "\(words): \(done.status)")
        }
        for words in [["run"], ["check"], ["backup"], ["mark", "x"]] {
            let done = try await run(words + ["--config", config], environment: place)
            #expect(done.errors.contains("LEDGER_PASSWORD"), "\(words): \(done.errors)")
            #expect(done.status == .exited(2), "\(words): \(done.status)")
        }
        // What the archive's own place needs is needed.
        let nowhere = try await run(["list", "--config", config])
        #expect(nowhere.errors.contains("PLACE is not set"), "\(nowhere.errors)")
    }

    @Test func `init writes a file once, and check finds it`() async throws {
        let scratch = try ScratchDirectory()
        let first = try await run(["init"], directory: scratch.path)
        #expect(first.status == .exited(0) && first.output.isEmpty)
        #expect(first.errors.contains("wrote tidemark.yml with "))
        #expect(first.errors.contains("begins the archive in file:///var/lib/tidemark"))
        #expect(first.errors.contains("next: look it over"))
        #expect(first.errors.contains("then run `tidemark check`"))
        let second = try await run(["init"], directory: scratch.path)
        #expect(second.status == .exited(2))
        #expect(second.errors.contains("tidemark.yml exists already and is left as it is"))
        // Its passwords are still missing, which proves that the file was found and read.
        let check = try await run(["check"], directory: scratch.path)
        #expect(check.status == .exited(2))
        #expect(check.errors.contains("_PASSWORD is not set"))
        let wrong = try await run(["init", "--repository", "here", "--output", scratch.path + "/b"])
        #expect(wrong.status == .exited(2))
        let path = scratch.path + "/c.yml"
        let bucket = try await run(["init", "--repository", "s3://bucket/a", "--output", path])
        #expect(bucket.status == .exited(2))
        #expect(bucket.errors.contains("S3 is not in this version of tidemark"))
        #expect(bucket.errors.contains("--repository file:///path"))
        #expect(access(path, F_OK) != 0)
    }

    @Test(arguments: [
        (["chekc"], "did you mean `tidemark check`?"),
        (["--config", "a.yml", "statsu", "--json"], "did you mean `tidemark status`?"),
        (["wal", "ftech", "a", "b"], "did you mean `tidemark wal fetch`?"),
        (["frobnicate"], "`tidemark --help` lists them"),
    ])
    func `a misspelt command is told the nearest one`(arguments: [String], advice: String)
        async throws
    {
        let done = try await run(arguments)
        #expect(done.errors.contains("there is no command `tidemark "), "\(done.errors)")
        #expect(done.errors.contains(advice), "\(done.errors)")
    }

    @Test(arguments: [
        (["backup", "--repository", "X"], "`tidemark backup` has no option --repository"),
        (["verify", "--deeep"], "did you mean --deep?"),
        (["mark"], "missing expected argument '<name>'\nUsage: tidemark mark "),
        (["--config"], "`tidemark --help` tells more"),
    ])
    func `wrong usage is told what is wrong and where to look`(
        arguments: [String], words: String
    ) async throws {
        let done = try await run(arguments, environment: Self.unconfigured)
        #expect(done.errors.contains(words), "\(done.errors)")
    }

    @Test func `nobody sees the passwords of URLs in the list of processes`() async throws {
        let scratch = try ScratchDirectory()
        // A pipe that nobody writes to holds the program up where it reads its configuration.
        let pipe = scratch.path + "/pipe"
        try await offPool {
            _ = try Subprocess.run("mkfifo", [pipe], seconds: 10)
            let program = try TidemarkProcess(
                [
                    "run", "postgres://u:hunter2@127.0.0.1:1/x?password=hunter2&a=b",
                    "--repository", "${HOLD}",
                ], environment: ["HOLD_FILE": pipe])
            let path = "/proc/\(program.process.pid)/cmdline"
            let shown = try Subprocess.run(
                "/bin/sh",
                [
                    "-c",
                    "for i in $(seq 100); do grep -q xxxxxxx \(path) && break; sleep 0.05; done; cat \(path)",
                ], seconds: 30)
            #expect(!shown.output.contains("hunter2"))
            #expect(
                shown.output.contains("postgres://u:xxxxxxx@127.0.0.1:1/x?password=xxxxxxx&a=b"))
        }
    }

    @Test func `a reader that goes away is no error`() async throws {
        try await offPool {
            let program = try TidemarkProcess.program()
            let done = try Subprocess.run(
                "/bin/sh",
                [
                    "-c",
                    "trap '' PIPE; { \(program) --help; echo status $? >&2; } | true",
                ], seconds: 30)
            #expect(done.errors.contains("status 0"))
        }
    }
}
