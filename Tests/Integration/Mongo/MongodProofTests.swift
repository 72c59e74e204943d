import Model
import Mongo
import Platform
import TestKit
import Testing

/// How soon a real mongod's writes are proved, and how an idle one is.
@Suite(.enabled(if: MongodHarness.isThere))
struct MongodProofTests {
    /// Seconds that may pass on a machine that runs other tests too; measured beside the flush
    /// interval of 1 s and a look each second.
    private static let limit = 6.0

    @Test func `an idle set is proved every second, and writes a no-op every ten`() async throws {
        try await offPool {
            let source = try MongodServer.start()
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            let sidecar = try harness.startWithBackup()
            try source.run("client.shop.kept.insert_one({'_id': 1})")
            try harness.waitProved()
            // Without a write, from one no-op of the server to the next.
            let newest = """
                found = client.local["oplog.rs"].find({"o.msg": "periodic noop"})
                for one in found.sort("$natural", -1).limit(1):
                    print("%d.%d" % (one["ts"].time, one["ts"].inc))
                """
            let before = try source.run(newest)
            var exposures: [Double] = []
            var after = before
            try eventually("the server writes a no-op, which is archived", seconds: 30) {
                for _ in 0..<4 {
                    exposures.append(try #require(try harness.status().exposureSeconds))
                }
                after = try source.run(newest)
                return after != before
            }
            let noop = try #require(OpTime(after))
            try eventually("the no-op is archived") {
                try OpTime(harness.status().archivedPosition ?? "") ?? .zero >= noop
            }
            let most = exposures.max() ?? .infinity
            print("idle mongod: at most \(most) s were exposed, looked at \(exposures.count) times")
            #expect(most < Self.limit, "\(exposures)")
            #expect(try harness.status().objective == "met")
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test func `a commit under load is proved within seconds`() async throws {
        try await offPool {
            let source = try MongodServer.start()
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            let sidecar = try harness.startWithBackup()
            let load = try MongodLoad { script throws(TidemarkError) in try source.run(script) }
            var delays: [Double] = []
            for number in 0..<5 {
                try source.run(
                    """
                    safe = pymongo.WriteConcern("majority")
                    client.shop.get_collection("kept", write_concern=safe).insert_one(
                        {"_id": \(number)})
                    """)
                let committed = SystemTimeSource().wall()
                try harness.waitProved()
                delays.append(SystemTimeSource().wall().seconds(since: committed))
            }
            #expect(try load.end() > 100)
            print("mongod under load: proved \(delays) s behind the commit")
            #expect(delays.max() ?? .infinity < Self.limit, "\(delays)")
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}
