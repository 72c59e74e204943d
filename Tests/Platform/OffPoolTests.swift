import Model
import Platform
import TestKit
import Testing
import Glibc

@Suite struct OffPoolTests {
    @Test func `the work runs on a thread of its own and keeps the running test`() async throws {
        let test = Test.current
        let name = try await offPool {
            #expect(Test.current == test)
            return textOfThreadName()
        }
        #expect(name == "test")
    }

    @Test func `errors come back as they were thrown`() async throws {
        let error = await #expect(throws: TidemarkError.self) {
            try await offPool { throw TidemarkError(.usage, "so it is") }
        }
        #expect(error?.code == .usage)
    }

    @Test func `sixteen blocked threads do not block the pool`() async throws {
        let gate = Monitor(false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    try await offPool {
                        let open: Bool? = gate.wait(seconds: 30) { $0 ? true : nil }
                        #expect(open == true)
                    }
                }
            }
            group.addTask { gate.update { $0 = true } }
            try await group.waitForAll()
        }
    }

    @Test func `waiting in vain ends with the reason`() async throws {
        try await offPool {
            let error = #expect(throws: TidemarkError.self) {
                try eventually("the moon is blue", seconds: 0.02) { false }
            }
            #expect(error?.message == "waited 0.02 s in vain: the moon is blue")
            var count = 0
            try eventually("the count is five") {
                count += 1
                return count == 5
            }
        }
    }

    @Test func `a scratch directory goes with everything in it`() async throws {
        try await offPool {
            var scratch: ScratchDirectory? = try ScratchDirectory()
            let path = try #require(scratch?.path)
            let inner = try #require(try scratch?.directory("a b"))
            try Subprocess.run(
                "/bin/sh", ["-c", "cd '\(inner)' && touch -- -f .g && ln -s /usr link && mkdir m"],
                seconds: 10)
            scratch = nil
            #expect(access(path, F_OK) == -1)
            #expect(access("/usr", F_OK) == 0)
        }
    }

    @Test func `free ports are given out once`() throws {
        let ports = try (0..<50).map { _ in try freePort() }
        #expect(Set(ports).count == 50)
    }
}

private func textOfThreadName() -> String {
    var buffer = [CChar](repeating: 0, count: 16)
    prctlName(&buffer)
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

private func prctlName(_ buffer: inout [CChar]) {
    let descriptor = open("/proc/thread-self/comm", O_RDONLY)
    defer { close(descriptor) }
    let count = read(descriptor, &buffer, 15)
    if count > 0 { buffer[count - 1] = 0 }
}
