import Model
import Platform
import TestKit
import Testing

/// Three shards of a cluster, archived side by side, while a slot moves from one to another.
@Suite(.timeLimit(.minutes(5)))
struct ClusterTests {
    private static let keys = (0..<200).map { "{moved}\($0)" }

    @Test func `a moved slot is on both shards together before, between and after its move`()
        async throws
    {
        try await offPool {
            // The usual one, 10000 above the port, may be somebody's.
            let busPort = try freePort()
            let one = try node(busPort)
            let two = try node(freePort())
            let three = try node(freePort())
            let (slot, counter) = try join(one, [two, three], busPort)
            let harness = try ArchiveHarness(one)
            try harness.write([("one", one.url), ("two", two.url), ("three", three.url)])
            let sidecar = try harness.start()
            try eventually("all have a base backup", seconds: 90) {
                try harness.tidemark(["list"]).output.split(separator: "\n").count {
                    $0.contains("any moment from")
                } == 3
            }
            try three.command("SET", counter, "before")
            for key in Self.keys { try one.command("SET", key, "v") }
            let before = try settled(harness)
            try three.command("SET", counter, "middle")
            let middle = try move(slot, harness, one, two)
            try three.command("SET", counter, "after")
            for key in Self.keys { try two.command("SET", key, "moved") }
            let after = try settled(harness)
            #expect(try sidecar.terminate().isSuccess)

            // Half of them moved one by one; none may be missing.
            for (name, moment, first, second) in [
                ("before", before, 200, 0), ("middle", middle, 100, 100), ("after", after, 0, 200),
            ] {
                let found = try restored(harness, moment, name, counter)
                // The shard that has no part in it is at the same moment.
                #expect(found.counter == name)
                #expect(found.one.count == first, "\(name)")
                #expect(found.two.count == second, "\(name)")
                #expect(found.one.union(found.two) == Set(Self.keys), "\(name)")
                #expect(found.said.contains("one node of a cluster"), "\(found.said)")
            }
        }
    }

    private func node(_ busPort: Int) throws -> RedisServer {
        // On a busy machine a node that was held up is not to be taken for a dead one.
        try RedisServer.start([
            "cluster-enabled yes", "cluster-require-full-coverage no",
            "cluster-node-timeout 60000", "cluster-port \(busPort)",
        ])
    }

    /// Makes a cluster of all: half of the slots at the first, half at the third node. The number of
    /// the slot that will move, which the first one has, and a key of the third one's.
    private func join(
        _ one: RedisServer, _ others: [RedisServer], _ busPort: Int
    ) throws -> (slot: String, counter: String) {
        let slot = try one.command("CLUSTER", "KEYSLOT", Self.keys[0])
        let isLow = Int(slot) ?? 0 < 8192
        let (low, high) = (["0", "8191"], ["8192", "16383"])
        for (node, range) in [(one, isLow ? low : high), (others[1], isLow ? high : low)] {
            try node.command("CLUSTER", "ADDSLOTSRANGE", range[0], range[1])
        }
        let found = try (0..<64).map { "counter:\($0)" }.first { key in
            (Int(try one.command("CLUSTER", "KEYSLOT", key)) ?? 0 < 8192) != isLow
        }
        let counter = try #require(found)
        for node in others {
            try node.command("CLUSTER", "MEET", "127.0.0.1", "\(one.port)", "\(busPort)")
        }
        try eventually("all know each other", seconds: 60) {
            try ([one] + others).allSatisfy {
                let info = try $0.command("CLUSTER", "INFO")
                // A node takes no writes before it has known the others for two seconds.
                return info.contains("cluster_known_nodes:3")
                    && info.contains("cluster_state:ok")
                    && info.contains("cluster_slots_assigned:16384")
            }
        }
        return (slot, counter)
    }

    /// As `redis-cli --cluster reshard` does; a moment half way.
    private func move(
        _ slot: String, _ harness: ArchiveHarness, _ one: RedisServer, _ two: RedisServer
    ) throws -> CommitTime {
        let from = try one.command("CLUSTER", "MYID")
        let to = try two.command("CLUSTER", "MYID")
        try two.command("CLUSTER", "SETSLOT", slot, "IMPORTING", from)
        try one.command("CLUSTER", "SETSLOT", slot, "MIGRATING", to)
        var middle = try harness.moment()
        for (number, key) in Self.keys.enumerated() {
            if number == Self.keys.count / 2 { middle = try settled(harness) }
            try one.command("MIGRATE", "127.0.0.1", "\(two.port)", key, "0", "5000")
        }
        for server in [two, one] { try server.command("CLUSTER", "SETSLOT", slot, "NODE", to) }
        return middle
    }

    /// A moment up to which all shards are archived and proved, with quiet on either side.
    private func settled(_ harness: ArchiveHarness) throws -> CommitTime {
        harness.pause(0.1)
        let moment = try harness.moment()
        harness.pause(0.1)
        let bound = moment.description
        try eventually("all shards are proved", seconds: 60) {
            let text = try harness.tidemark(["status", "--json"]).output
            let proved = text.split(separator: "\"restorable_to\"").dropFirst().map {
                $0.drop { !$0.isNumber }.prefix(24)
            }
            return proved.count == 3 && proved.allSatisfy { $0 > bound && $0.hasPrefix("20") }
        }
        return moment
    }

    private func restored(
        _ harness: ArchiveHarness, _ moment: CommitTime, _ name: String, _ counter: String
    ) throws -> (one: Set<String>, two: Set<String>, counter: String, said: String) {
        let place = harness.folder + "/" + name
        let said = try harness.expect(
            0, ["restore", "--to", moment.text(fractionDigits: 6), "--into", place])
        let keys = try ["one", "two"].map { shard in
            let copy = try RedisServer.start(["dir \(place)/\(shard)", "appendonly yes"])
            let found = try copy.command("KEYS", "*").split(separator: "\n").map(String.init)
            try copy.stop()
            return Set(found)
        }
        let third = try RedisServer.start(["dir \(place)/three", "appendonly yes"])
        return (keys[0], keys[1], try third.command("GET", counter), said)
    }
}
