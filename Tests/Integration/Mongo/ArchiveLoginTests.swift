import Model
import Mongo
import Platform
import TestKit
import Testing

/// The whole way through a login: by a name and a password, on every connection.
struct ArchiveLoginTests {
    @Test(arguments: ["", "&authMechanism=SCRAM-SHA-256"])
    func `an archive is kept with a password, and with another one it is said what to do`(
        _ options: String
    ) async throws {
        try await offPool {
            let harness = try ArchiveHarness("shop")
            let user = MongoDoubleUser("tidemark", password: "s3same")
            harness.double.state.update { $0.contact.users = [user] }
            for login in ["tidemark:open-s3same@", "tidemark2:s3same@"] {
                try harness.configure(options, login: login)
                let told = try harness.expect(5, ["check"])
                let name = login.prefix { $0 != ":" }
                let part = "does not take the password of user \(name)"
                #expect(told.contains(part), "\(told)")
                #expect(told.contains("createUser({user: \"tidemark\", pwd: passwordPrompt()"))
                let sidecar = try harness.start()
                try sidecar.waitForLog(part, seconds: 60)
                // One that nobody lets in at its start may have ended by itself.
                #expect([.exited(0), .exited(5)].contains(try sidecar.terminate()))
                #expect(!(told + sidecar.log).contains("s3same"), "\(sidecar.log)")
            }
            #expect(harness.double.state.read { $0.commands["find"] } == nil)
            // Nobody at all is told what the server wants.
            try harness.configure("")
            #expect(try harness.expect(5, ["check"]).contains("grantRolesToUser(\"tidemark\""))

            try harness.configure(options, login: "tidemark:s3same@")
            try harness.expect(0, ["check"])
            let sidecar = try harness.startWithBackup()
            harness.double.write(100)
            try harness.waitArchived()
            // Whoever comes again has to log in again.
            harness.double.cutConnections()
            harness.double.writeAll()
            try harness.waitArchived()
            try harness.expect(0, ["mark", "end"])
            try harness.waitArchived()
            let all = harness.entries.dropFirst().flatMap { $0 }
            #expect(try harness.archivedOplog().starts(with: all))
            #expect(try sidecar.terminate().isSuccess)
            #expect(!sidecar.log.contains("s3same"))
            try harness.expect(0, ["verify", "--deep"])
            let place = try harness.restore(to: "point:end", name: "restored")
            #expect(try harness.content(place + "/oplog.bson").starts(with: all))
        }
    }
}
