import Model
import Platform
import TestKit
import Testing

/// Digests of restored servers against the source's own at the same moment.
///
/// While all writes of the source are paused, expiries included, it tells its digest, its offset
/// and its time. Each moment is restored twice: by its time into files that a replica of nobody
/// loads, and by its offset into a live server, which is served the archive as a primary's stream.
@Suite(.timeLimit(.minutes(10)))
struct OracleTests {
    /// The machine's own server, and some of other versions.
    @Test(arguments: [(nil, 20), ("8.0", 6), ("valkey-8.1", 6)])
    func `at random moments of a mixed load both ways of restoring equal the source`(
        version: String?, rounds: Int
    ) async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb"], version: version)
            try server.pipe(Workload.functions)
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let load = MixedLoad(server)
            var marks: [Mark] = []
            var random = SystemRandomNumberGenerator()
            let stalled = rounds * 12 / 20..<rounds * 14 / 20
            for round in 0..<rounds {
                harness.pause(Double.random(in: 0.05...0.4, using: &random))
                if round == rounds * 7 / 20 { try harness.expect(0, ["backup"]) }
                // What comes while it stands still arrives late, so there only offsets count.
                if round == stalled.lowerBound { sidecar.process.signal(19) }
                if round == stalled.upperBound { sidecar.process.signal(18) }
                marks.append(try mark(harness, isArchived: !stalled.contains(round)))
            }
            try load.stop()
            try harness.waitArchived()
            try harness.waitProved(try harness.moment())
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
            var loaded = 0
            var served = 0
            for (number, mark) in marks.enumerated() {
                let copy = try harness.loaded(
                    to: mark.target, name: "copy-\(number)", version: version)
                if try copy.command("DEBUG", "DIGEST") == mark.digest { loaded += 1 }
                try copy.stop()
                if try servedDigest(harness, mark, version) == mark.digest { served += 1 }
            }
            #expect(loaded == rounds)
            #expect(served == rounds)
        }
    }

    private struct Mark {
        var offset: UInt64
        var digest: String
        var target: String
    }

    private func mark(_ harness: ArchiveHarness, isArchived: Bool) throws -> Mark {
        let server = harness.server
        let answers = try server.lines("CLIENT PAUSE 20000 WRITE\nDEBUG DIGEST\n")
        let offset = try server.offset()
        let digest = try #require(answers.dropFirst().first)
        var mark = Mark(offset: offset, digest: digest, target: "offset:\(offset)")
        if isArchived {
            // The periodic ACK names one byte less than is durable.
            try eventually("the archive has it") {
                let state = try server.info("slave0")
                let told = state.split(separator: ",").first { $0.hasPrefix("offset=") }
                return (told.flatMap { UInt64($0.dropFirst(7)) } ?? 0) + 1 >= offset
            }
            harness.pause(0.03)
            mark.target = try harness.moment().text(fractionDigits: 6)
            harness.pause(0.03)
        }
        try server.command("CLIENT", "UNPAUSE")
        return mark
    }

    /// In a primary keys expire; this one leaves them until somebody asks for them.
    private func servedDigest(
        _ harness: ArchiveHarness, _ mark: Mark, _ version: String?
    ) throws -> String {
        let target = try RedisServer.start(version: version)
        try target.command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        try harness.expect(
            0,
            ["restore", "--to", "offset:\(mark.offset)", "--into", "sessions=" + target.url])
        #expect(try target.info("role") == "master")
        return try target.command("DEBUG", "DIGEST")
    }
}
