import Glibc
import Model
import Platform
import TestKit
import Testing

@testable import Recovery

/// Where the reader ahead goes next.
struct PrefetchAimTests {
    private func range(_ number: UInt64, _ timeline: String = "1") -> PositionRange {
        PositionRange(timeline: TimelineID(timeline), first: number * 100, last: number * 100 + 100)
    }

    @Test func `it goes on behind what was fetched another way`() {
        var aim = PrefetchAim()
        #expect(aim.next == nil && aim.request == nil)
        aim.follow("3", range(3), nextName: "4", ready: [])
        #expect(aim.request == "3")
        #expect(aim.next == range(4))
        aim.advance()
        aim.advance()
        #expect(aim.next == range(6))
    }

    @Test func `what lies ready behind a request is kept, and it goes on where it was`() {
        var aim = PrefetchAim()
        aim.follow("3", range(3), nextName: "4", ready: [])
        for _ in 0..<3 { aim.advance() }
        aim.follow("4", range(4), nextName: "5", ready: ["5", "6"])
        #expect(!aim.dropsReady)
        #expect(aim.next == range(7))
    }

    @Test func `a request elsewhere, as on another timeline, drops what lies ready`() {
        var aim = PrefetchAim()
        aim.follow("3", range(3), nextName: "4", ready: [])
        aim.advance()
        aim.follow("2:4", range(4, "2"), nextName: "2:5", ready: ["4", "5"])
        #expect(aim.dropsReady)
        #expect(aim.next == range(5, "2"))
    }
}

/// The folder of segments fetched ahead.
struct PrefetchSpoolTests {
    private func write(_ path: String, _ text: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        defer { close(file) }
        let bytes = Array(text.utf8)
        try #require(file >= 0 && Glibc.write(file, bytes, bytes.count) == bytes.count)
    }

    private func read(_ path: String) throws -> String {
        let file = try File(path, .reading)
        return String(decoding: try file.read(at: 0, 100), as: UTF8.self)
    }

    /// It is the filler until the lock goes. Throws where another one is.
    private func becomeFiller(_ spool: PrefetchSpool) throws -> File {
        guard let lock = spool.becomeFiller() else {
            throw TidemarkError(.failed, "another one fills \(spool.path)")
        }
        return lock
    }

    private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    @Test func `a whole file is moved out once, and nothing else is`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let spool = PrefetchSpool(directory: scratch.path)
            let target = scratch.path + "/RECOVERYXLOG"
            #expect(!spool.take("000000010000000000000003", to: target))
            let lock = try becomeFiller(spool)
            try write(spool.target("000000010000000000000003"), "three")
            try write(spool.target(PrefetchSpool.requestName), "x")
            #expect(spool.ready == ["000000010000000000000003"])
            for name in ["lock", "request", "../RECOVERYXLOG", "000000010000000000000004"] {
                #expect(!spool.take(name, to: target), "\(name)")
            }
            #expect(!exists(target))
            #expect(spool.take("000000010000000000000003", to: target))
            #expect(try read(target) == "three")
            #expect(spool.ready.isEmpty)
            #expect(!spool.take("000000010000000000000003", to: target))
            _ = lock.path
        }
    }

    @Test func `a file that the filler is just writing is waited for`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let spool = PrefetchSpool(directory: scratch.path)
            let target = scratch.path + "/RECOVERYXLOG"
            let unfinished = spool.target("3" + PrefetchSpool.unfinishedSuffix)
            do {
                let lock = try becomeFiller(spool)
                try write(unfinished, "three")
                #expect(spool.ready.isEmpty)
                let began = Monitor(false)
                let taking = DedicatedThread("take") { () throws(TidemarkError) in
                    began.update { $0 = true }
                    return spool.take("3", to: target)
                }
                _ = began.wait(seconds: 10) { $0 ? true : nil }
                #expect(try taking.join(seconds: 0.05) == nil)
                #expect(rename(unfinished, spool.target("3")) == 0)
                #expect(try taking.join())
                #expect(try read(target) == "three")
                _ = lock.path
            }
            // Left by a filler that was killed: nobody goes on writing it.
            try write(unfinished, "torn")
            #expect(!spool.isFilling)
            let time = SystemTimeSource()
            let asked = time.monotonic()
            #expect(!spool.take("3", to: target))
            #expect(time.monotonic().seconds(since: asked) < 5)
        }
    }

    @Test func `one fills it at a time, and clears and removes what it left`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let spool = PrefetchSpool(directory: scratch.path)
            let lock = try becomeFiller(spool)
            #expect(spool.isFilling)
            #expect(throws: TidemarkError.self) { _ = try becomeFiller(spool) }
            try write(spool.target("3"), "three")
            try write(spool.target("4" + PrefetchSpool.unfinishedSuffix), "fo")
            try write(spool.target(PrefetchSpool.requestName), "2")
            spool.clear()
            #expect(spool.ready.isEmpty)
            #expect(!exists(spool.target("4" + PrefetchSpool.unfinishedSuffix)))
            #expect(spool.request == "2")
            #expect(spool.isFilling)
            try write(spool.target("5"), "five")
            spool.remove()
            #expect(!exists(spool.path))
            _ = lock.path
        }
    }
}
