import Model
import Platform
import TestKit
import Testing

/// Two shards of a cluster, archived side by side, while a slot moves from one to the other.
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
            let slot = try join(one, two, busPort)
            let harness = try ArchiveHarness(one)
            try harness.write([("one", one.url), ("two", two.url)])
            let sidecar = try harness.start()
            try eventually("both have a base backup", seconds: 90) {
                try harness.tidemark(["list"]).output.split(separator: "\n").count {
                    $0.contains("any moment from")
                } == 2
            }
            for key in Self.keys { try one.command("SET", key, "v") }
            let before = try settled(harness, one, two)
            let middle = try move(slot, harness, one, two)
            for key in Self.keys { try two.command("SET", key, "moved") }
            let after = try settled(harness, one, two)
            #expect(try sidecar.terminate().isSuccess)

            // Half of them moved one by one; none may be missing.
            for (name, moment, first, second) in [
                ("before", before, 200, 0), ("middle", middle, 100, 100), ("after", after, 0, 200),
            ] {
                let found = try restored(harness, moment, name)
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

    /// Makes a cluster of both; the number of the slot that will move.
    private func join(
        _ one: RedisServer, _ two: RedisServer, _ busPort: Int
    ) throws -> String {
        try one.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        try two.command("CLUSTER", "MEET", "127.0.0.1", "\(one.port)", "\(busPort)")
        try eventually("both know each other", seconds: 60) {
            try [one, two].allSatisfy {
                let info = try $0.command("CLUSTER", "INFO")
                // A node takes no writes before it has known the others for two seconds.
                return try info.contains("cluster_known_nodes:2")
                    && info.contains("cluster_state:ok")
                    && $0.command("CLUSTER", "SLOTS").contains("\(one.port)")
            }
        }
        return try one.command("CLUSTER", "KEYSLOT", Self.keys[0])
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
            if number == Self.keys.count / 2 { middle = try settled(harness, one, two) }
            try one.command("MIGRATE", "127.0.0.1", "\(two.port)", key, "0", "5000")
        }
        for server in [two, one] { try server.command("CLUSTER", "SETSLOT", slot, "NODE", to) }
        return middle
    }

    /// A moment up to which both shards are archived and proved, with quiet on either side.
    private func settled(
        _ harness: ArchiveHarness, _ one: RedisServer, _ two: RedisServer
    ) throws -> CommitTime {
        harness.pause(0.1)
        let moment = try harness.moment()
        harness.pause(0.1)
        let bound = moment.description
        try eventually("both shards are proved", seconds: 60) {
            let text = try harness.tidemark(["status", "--json"]).output
            let proved = text.split(separator: "\"restorable_to\"").dropFirst().map {
                $0.drop { !$0.isNumber }.prefix(24)
            }
            return proved.count == 2 && proved.allSatisfy { $0 > bound && $0.hasPrefix("20") }
        }
        return moment
    }

    private func restored(
        _ harness: ArchiveHarness, _ moment: CommitTime, _ name: String
    ) throws -> (one: Set<String>, two: Set<String>, said: String) {
        let place = harness.folder + "/" + name
        let said = try harness.expect(
            0, ["restore", "--to", moment.text(fractionDigits: 6), "--into", place])
        let keys = try ["one", "two"].map { shard in
            let copy = try RedisServer.start(["dir \(place)/\(shard)", "appendonly yes"])
            let found = try copy.command("KEYS", "*").split(separator: "\n").map(String.init)
            try copy.stop()
            return Set(found)
        }
        return (keys[0], keys[1], said)
    }
}
