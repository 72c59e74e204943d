import Model
import Platform
import TestKit
import Testing

/// Digests of restored servers against the source's own at the same moment.
///
/// While all writes of the source are paused, expiries included, it tells its digest and its offset.
struct OracleTests {
    @Test func `at random moments of a mixed load the copy equals the source`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb"])
            try server.pipe(Workload.functions)
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let load = MixedLoad(server)
            var marks: [(offset: UInt64, digest: String)] = []
            var random = SystemRandomNumberGenerator()
            for round in 0..<20 {
                harness.pause(Double.random(in: 0.05...0.4, using: &random))
                if round == 7 { try harness.expect(0, ["backup"]) }
                if round == 12 { sidecar.process.signal(19) }
                if round == 14 { sidecar.process.signal(18) }
                marks.append(try mark(server))
            }
            try load.stop()
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
            var equal = 0
            for (number, mark) in marks.enumerated() {
                let copy = try harness.loaded(
                    to: "offset:\(mark.offset)", name: "copy-\(number)")
                if try copy.command("DEBUG", "DIGEST") == mark.digest { equal += 1 }
                try copy.stop()
            }
            #expect(equal == 20)
        }
    }

    private func mark(_ server: RedisServer) throws -> (offset: UInt64, digest: String) {
        let answers = try server.lines("CLIENT PAUSE 20000 WRITE\nDEBUG DIGEST\n")
        let offset = try server.offset()
        try server.command("CLIENT", "UNPAUSE")
        return (offset, try #require(answers.dropFirst().first))
    }
}
