import Model
import Platform
import TestKit
import Testing
import Glibc

@Suite struct SubprocessTests {
    @Test func `a program's outputs and status are kept apart`() async throws {
        try await offPool {
            let done = try Subprocess.run(
                "/bin/sh", ["-c", "echo out; echo err >&2; exit 3"], seconds: 10)
            #expect(done.status == .exited(3))
            #expect(done.output == "out\n")
            #expect(done.errors == "err\n")
        }
    }

    @Test func `input is fed to the end and may be larger than a pipe`() async throws {
        try await offPool {
            let input = [UInt8]((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) })
            let done = try Subprocess.run("cat", [], SubprocessOptions(input: input), seconds: 30)
            #expect(done.outputBytes == input)
        }
    }

    @Test func `a child that ignores its input is no error`() async throws {
        try await offPool {
            let input = [UInt8](repeating: 65, count: 1_000_000)
            let done = try Subprocess.run("true", [], SubprocessOptions(input: input), seconds: 10)
            #expect(done.status.isSuccess)
        }
    }

    @Test func `of a large output the last bytes are kept and the rest is counted`() async throws {
        try await offPool {
            let done = try Subprocess.run(
                "/bin/sh", ["-c", "head -c 5000000 /dev/zero; printf end"],
                SubprocessOptions(keptOutput: 1000), seconds: 30)
            #expect(done.outputBytes.count == 1000)
            #expect(done.droppedOutputBytes == 5_000_003 - 1000)
            #expect(done.output.hasSuffix("end"))
        }
    }

    @Test func `a program that takes too long is killed and named`() async throws {
        try await offPool {
            let error = #expect(throws: TidemarkError.self) {
                try Subprocess.run("sleep", ["100"], seconds: 0.1)
            }
            #expect(error?.message.contains("sleep did not finish within 0.1 s") == true)
        }
    }

    @Test func `a missing program is a missing tool`() async throws {
        try await offPool {
            for name in ["no-such-program", "/no/such/program"] {
                let error = #expect(throws: TidemarkError.self) { try Subprocess(name) }
                #expect(error?.code == .toolMissing)
            }
        }
    }

    @Test func `signals arrive although the pool blocks them, and their effect is told`()
        async throws
    {
        try await offPool {
            var blocked = sigset_t()
            sigfillset(&blocked)
            pthread_sigmask(SIG_BLOCK, &blocked, nil)
            let process = try Subprocess("sleep", ["100"])
            #expect(process.status == nil)
            process.signal(SIGTERM)
            #expect(process.wait(seconds: 10) == .signalled(SIGTERM))
            // Ended: a second signal must not hit whoever has the pid now.
            process.signal(SIGKILL)
            #expect(process.status == .signalled(SIGTERM))
        }
    }

    @Test func `no zombie is left behind`() async throws {
        try await offPool {
            let process = try Subprocess("true")
            process.wait()
            #expect(kill(process.pid, 0) == -1)
            #expect(errno == ESRCH)
        }
    }

    @Test func `a grandchild that holds the outputs does not delay the end`() async throws {
        try await offPool {
            let done = try Subprocess.run(
                "/bin/sh", ["-c", "sleep 100 & echo $!"], seconds: 10)
            let grandchild = try #require(Int32(done.output.dropLast()))
            kill(grandchild, SIGKILL)
        }
    }

    @Test func `environment and directory are as asked`() async throws {
        try await offPool {
            let done = try Subprocess.run(
                "/bin/sh", ["-c", "echo $TIDE; pwd; echo ${PATH:+path}"],
                SubprocessOptions(environment: ["TIDE": "high"], directory: "/usr"), seconds: 10)
            #expect(done.output == "high\n/usr\npath\n")
            #expect(throws: TidemarkError.self) {
                try Subprocess("true", [], SubprocessOptions(directory: "/no/such/directory"))
            }
        }
    }

    @Test func `outputs go to a file when asked, appended`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let file = scratch.path + "/log"
            for word in ["one", "two"] {
                try Subprocess.run(
                    "echo", [word], SubprocessOptions(outputFile: file), seconds: 10)
            }
            let done = try Subprocess.run("cat", [file], seconds: 10)
            #expect(done.output == "one\ntwo\n")
        }
    }

    @Test func `a line of output can be waited for`() async throws {
        try await offPool {
            let process = try Subprocess("/bin/sh", ["-c", "echo ready >&2; exec sleep 100"])
            #expect(process.waitForOutput(seconds: 10) { $1.contains("ready") })
            #expect(!process.waitForOutput(seconds: 0.05) { output, _ in output == "never" })
            process.signal(SIGKILL)
            #expect(!process.waitForOutput(seconds: 10) { output, _ in output == "never" })
        }
    }

    @Test func `no descriptor of ours reaches the child`() async throws {
        try await offPool {
            let leak = open("/dev/null", O_RDONLY)  // on purpose without O_CLOEXEC
            defer { close(leak) }
            let done = try Subprocess.run("ls", ["/proc/self/fd"], seconds: 10)
            #expect(done.output == "0\n1\n2\n3\n")  // 3 is ls's own, on /proc
        }
    }

    @Test func `a program runs as another user, where we may become one`() async throws {
        try await offPool {
            let own = try Subprocess.run("id", ["-un"], seconds: 10).output.dropLast()
            let name = UserIdentity.isRoot ? "nobody" : String(own)
            let user = try UserIdentity(named: name)
            let done = try Subprocess.run(
                "id", ["-un"], SubprocessOptions(user: user), seconds: 10)
            #expect(done.output == name + "\n")
            #expect(throws: TidemarkError.self) { try UserIdentity(named: "no-such-user") }
        }
    }

    @Test func `descriptors do not leak over many processes`() async throws {
        try await offPool {
            try Subprocess.run("true", seconds: 10)
            let process = try Subprocess.run("ls", ["/proc/\(getpid())/fd"], seconds: 10)
            let before = process.output.split(separator: "\n").count
            for _ in 0..<50 { try Subprocess.run("true", seconds: 10) }
            let after = try Subprocess.run("ls", ["/proc/\(getpid())/fd"], seconds: 10)
                .output.split(separator: "\n").count
            // Other tests run beside this one and hold a few; fifty would be a leak.
            #expect(after < before + 40)
        }
    }
}
