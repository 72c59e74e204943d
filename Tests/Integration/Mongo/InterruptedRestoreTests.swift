import Glibc
import Mongo
import Platform
import TestKit
import Testing

/// A restore into a live server that a signal ends says what it leaves.
@Suite(.enabled(if: MongodHarness.isThere))
struct InterruptedRestoreTests {
    @Test func `it says that the same command goes on, and that is so`() async throws {
        try await offPool {
            let source = try MongodServer.start()
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            try source.run(
                "client.shop.orders.insert_many([{'_id': n} for n in range(500)])")
            let sidecar = try harness.startWithBackup()
            try harness.expect(0, ["mark", "here"])
            let wanted = try MongodHarness.state(source)
            #expect(try sidecar.terminate().isSuccess)
            let target = try MongodServer.start()
            let hold = try MongoHold(target.port, .question, of: ["create", "orders"])
            let words = ["restore", "--to", "point:here", "--into", "lessons="]
            let restore = try TidemarkProcess(
                words.dropLast() + ["lessons=" + hold.url, "--config", harness.config],
                environment: harness.environment, directory: harness.folder, user: harness.user)
            try hold.waitHeld()
            restore.process.signal(SIGTERM)
            #expect(restore.process.wait(seconds: 20) == .signalled(SIGTERM))
            let place = "127.0.0.1:\(hold.port)"
            #expect(
                restore.log.contains(
                    "tidemark: interrupted: lessons: the server at \(place) is half filled; the "
                        + "same command, given again, goes on where it was\n"), "\(restore.log)")
            let again = try harness.expect(
                0, words.dropLast() + ["lessons=" + target.url])
            #expect(again.contains("goes on with an interrupted restore"), "\(again)")
            try MongodHarness.expectSame(target, as: wanted)
        }
    }
}
