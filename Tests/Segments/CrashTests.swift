import Model
import Platform
import TestKit
import Testing

@testable import Segments

/// Crashes at every step, full disks, and what the next start makes of it.
@Suite struct CrashTests {
    /// Stops the machine at the given passage of one failpoint.
    private final class Trap: Sendable {
        private let left: Monitor<Int>
        private let point: Failpoint

        init(_ point: Failpoint, passages: Int) {
            self.point = point
            left = Monitor(passages)
        }

        func reach(_ reached: Failpoint) throws(TidemarkError) {
            guard reached == point else { return }
            let isNow = left.update { left in
                left -= 1
                return left == 0
            }
            if isNow { throw TidemarkError(.failed, "stopped at \(point)") }
        }

        var wasSprung: Bool { left.read { $0 <= 0 } }
    }

    /// Runs the source from the archive's end to `end` with mixed steps; returns what was promised.
    @discardableResult
    private func run(
        _ archive: Archive, to end: UInt64, small: Bool, _ random: inout SeededRandom,
        promised: Monitor<UInt64>
    ) throws -> UInt64 {
        let bytes = archive.rotation.bytes
        let archived = try archive.end()
        #expect(archived >= promised.read { $0 }, "a promise was broken")
        let start = archived - archived % bytes
        let writer = try archive.writer()
        defer { writer.close(abandoning: true) }
        #expect(try writer.begin(archive.opening(start)) >= archived)
        while writer.received < end {
            let step = UInt64.random(in: 1...(small ? 40_000 : 900_000), using: &random)
            try archive.play(
                writer, to: min(end, writer.received + step), pieces: 131_072, since: start)
            let durable =
                small || Int.random(in: 0..<4, using: &random) == 0
                ? try writer.flush() : try writer.poll()
            promised.update { $0 = max($0, durable) }
        }
        try writer.flush()
        promised.update { $0 = end }
        try writer.settle()
        writer.close()
        return end
    }

    @Test(arguments: Failpoint.allCases, [false, true])
    func `a crash at a step loses nothing that was promised`(
        _ point: Failpoint, _ small: Bool
    ) async throws {
        try await offPool {
            for passages in [1, 3] {
                let store = MemoryStore()
                var archive = Archive(store)
                var random = SeededRandom(seed: UInt64(passages) * 31 + (small ? 1 : 0))
                let promised = Monitor<UInt64>(0)
                let trap = Trap(point, passages: passages)
                archive.options.failpoint = { (point) throws(TidemarkError) in
                    try trap.reach(point)
                }
                let end: UInt64 = small ? 2_600_000 : 4_000_000
                var stopped = 0
                while true {
                    do {
                        try run(archive, to: end, small: small, &random, promised: promised)
                        break
                    } catch let error as TidemarkError {
                        #expect(error.message.hasPrefix("stopped at"), "\(error)")
                        stopped += 1
                        try #require(stopped < 5)
                        store.crash(&random)
                    }
                }
                #expect((stopped > 0) == trap.wasSprung)
                try archive.checkEverything(to: end)
                #expect(try archive.stored().dropLast().allSatisfy(\.isSealed))
            }
        }
    }

    @Test(arguments: 0..<12)
    func `random kills and power failures lose nothing that was promised`(
        _ seed: Int
    ) async throws {
        try await offPool {
            var random = SeededRandom(seed: UInt64(seed) &* 7919 &+ 5)
            let store = MemoryStore()
            let faulty = FaultyStore(store)
            let rotation = RotationRule.aligned(bytes: [1 << 20, 2 << 20][seed % 2])
            var archive = Archive(faulty, rotation)
            archive.options.compression = seed % 3 == 0 ? .gzip : .lz4
            let promised = Monitor<UInt64>(0)
            let end: UInt64 = 6_500_000
            let dead = TidemarkError(.failed, "killed")
            for round in 0... {
                faulty.heal()
                if round < 25 {
                    let call: FaultyStore.Call =
                        [.append, .append, .sync, .seal, .finish, .discard, .write, .truncate]
                        .randomElement(using: &random)!
                    let skipped = Int.random(in: 0..<12, using: &random)
                    let fault: FaultyStore.Fault =
                        switch Int.random(in: 0..<3, using: &random) {
                        case 0: .torn(Int.random(in: 0..<5000, using: &random), dead)
                        case 1: .lateError(dead)
                        default: .error(dead)
                        }
                    faulty.fail(call, fault, times: 1, skipping: skipped)
                }
                do {
                    let small = Bool.random(using: &random)
                    try run(archive, to: end, small: small, &random, promised: promised)
                    break
                } catch let error as TidemarkError {
                    #expect(error.message.hasSuffix("killed"), "seed \(seed): \(error)")
                    // Now and then only the process dies and the machine stays up.
                    if Int.random(in: 0..<3, using: &random) > 0 { store.crash(&random) }
                }
            }
            try archive.checkEverything(to: end)
        }
    }

    @Test(arguments: [FaultyStore.Call.append, .sync, .seal, .openAppendable, .finish])
    func `a full disk stops the writer, and once there is room the next one goes on`(
        _ call: FaultyStore.Call
    ) async throws {
        try await offPool {
            let store = FaultyStore(MemoryStore())
            let archive = Archive(store)
            let full = TidemarkError(.repositoryFull, "no space left")
            store.fail(call, .error(full), times: 1000, skipping: 1)
            var random = SeededRandom(seed: 1)
            let promised = Monitor<UInt64>(0)
            let error = #expect(throws: TidemarkError.self) {
                let isSmall = call != .seal
                try run(archive, to: 3 << 20, small: isSmall, &random, promised: promised)
            }
            #expect(error?.code == .repositoryFull)
            store.heal()
            try run(archive, to: 3 << 20, small: true, &random, promised: promised)
            try archive.checkEverything(to: 3 << 20)
        }
    }

    @Test func `after an error every call fails, and closing does not hang`() async throws {
        try await offPool {
            let store = FaultyStore(MemoryStore())
            let archive = Archive(store, .aligned(bytes: 16 << 20))
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            store.fail(.append, TidemarkError(.repositoryFull, "no space left"), times: 1000)
            #expect(throws: TidemarkError.self) {
                // More than all chunks: the pipeline must not stand still on an error.
                try archive.play(writer, to: 14 << 20)
                try writer.flush()
            }
            #expect(throws: TidemarkError.self) { try writer.flush() }
            #expect(throws: TidemarkError.self) { try writer.poll() }
            #expect(throws: TidemarkError.self) {
                try writer.append([1].span.bytes, at: writer.received)
            }
            writer.close()
            writer.close()
        }
    }

    @Test func `an old segment being sealed does not hold up the next one`() async throws {
        try await offPool {
            let store = FaultyStore(MemoryStore())
            let archive = Archive(store)
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            store.fail(.finish, .hang)
            while writer.received < 1 << 20 {
                try archive.play(writer, to: writer.received + 16_384)
                try writer.flush()
            }
            #expect(store.waitUntilHanging())
            try archive.play(writer, to: (1 << 20) + 50_000)
            #expect(try writer.flush() == (1 << 20) + 50_000)
            #expect(try archive.stored().map(\.isSealed) == [false, false])
            try archive.checkEverything(to: (1 << 20) + 50_000)
            store.release()
            try writer.settle()
            writer.close()
            #expect(try archive.stored().map(\.isSealed) == [true, false])
        }
    }
}
