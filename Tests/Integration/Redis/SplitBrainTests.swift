import Model
import Platform
import TestKit
import Testing

/// Two primaries after a network was cut: each goes on from the same history.
@Suite(.timeLimit(.minutes(5)))
struct SplitBrainTests {
    @Test func `each of two primaries is followed as it was asked for, neither takes the other's`()
        async throws
    {
        try await offPool {
            let old = try RedisServer.start(["repl-backlog-size 64mb"])
            let new = try RedisServer.start([
                "replicaof 127.0.0.1 \(old.port)", "repl-backlog-size 64mb",
            ])
            try eventually("the replica is in step") {
                try new.info("master_link_status") == "up"
            }
            let harness = try ArchiveHarness(old)
            let first = try harness.startWithBackup()
            let shared = try harness.timeline()
            try old.command("SET", "both", "1")
            try eventually("the replica has it") { try new.offset() >= old.offset() }
            try new.command("REPLICAOF", "NO", "ONE")
            let promoted = try new.info("master_replid")

            // Both take writes. Who was asked for is the old one, and nothing says otherwise.
            try old.command("SET", "ours", "old")
            try old.command("SET", "a", "1")
            try new.command("SET", "ours", "new")
            try harness.waitArchived()
            #expect(try harness.status().timeline == shared)
            #expect(try harness.status().gaps.isEmpty)
            #expect(try first.terminate().isSuccess)

            // The other one is asked for: its history goes on from the fork, nothing of both.
            try harness.write([("sessions", new.url)])
            let second = try harness.start()
            try waitArchived(harness, new)
            #expect(try harness.status().timeline == promoted)
            #expect(try harness.status().gaps.isEmpty)
            #expect(try harness.expect(0, ["list"]).contains("restore --timeline \(shared)"))
            try expect(harness, "new", "1\nnew\n", [])
            try expect(harness, "old", "1\nold\n1", ["--timeline", shared])
            #expect(try second.terminate().isSuccess)

            // Back to the first one: it goes on where the archive had left it.
            try old.command("SET", "a", "2")
            try harness.write([("sessions", old.url)])
            let third = try harness.start()
            try waitArchived(harness, old)
            #expect(try harness.status().timeline == shared)
            #expect(try harness.status().gaps.isEmpty)
            try expect(harness, "back", "1\nold\n2", [])
            try expect(harness, "kept", "1\nnew\n", ["--timeline", promoted])

            // Healed: the old one becomes the new one's replica and takes over its history.
            try old.command("REPLICAOF", "127.0.0.1", "\(new.port)")
            try eventually("the old one is a replica") {
                try old.info("master_link_status") == "up"
            }
            try new.command("SET", "a", "3")
            try eventually("the new one's history is archived through it", seconds: 90) {
                let status = try harness.status()
                return try status.timeline == promoted
                    && status.archivedPosition.flatMap { UInt64($0) } ?? 0 >= new.offset()
            }
            try expect(harness, "healed", "1\nnew\n3", [])
            try expect(harness, "branch", "1\nold\n2", ["--timeline", shared])
            #expect(try third.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    private func waitArchived(_ harness: ArchiveHarness, _ server: RedisServer) throws {
        let id = try server.info("master_replid")
        let end = try server.offset()
        try eventually("it is archived", seconds: 90) {
            let status = try harness.status()
            return status.timeline == id
                && status.archivedPosition.flatMap { UInt64($0) } ?? 0 >= end
        }
    }

    private func expect(
        _ harness: ArchiveHarness, _ name: String, _ values: String, _ words: [String],
        location: SourceLocation = #_sourceLocation
    ) throws {
        let copy = try harness.restore(to: "latest", name: name, words)
        let found = try harness.ask(copy, "MGET", "both", "ours", "a")
        #expect(found == values, "\(name)", sourceLocation: location)
        try harness.stop(copy)
    }
}
