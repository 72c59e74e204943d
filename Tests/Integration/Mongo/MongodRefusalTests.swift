import Model
import Mongo
import Platform
import TestKit
import Testing

/// What cannot be archived, or may not, is said with the remedy, and the remedy helps.
@Suite(.enabled(if: MongodHarness.isThere))
struct MongodRefusalTests {
    /// What `check` and `run` say; both must say it.
    private static func said(_ harness: MongodHarness, _ part: String) throws -> String {
        let checked = try harness.expect(5, ["check"])
        #expect(checked.contains(part), "\(checked)")
        let sidecar = try harness.start()
        try sidecar.waitForLog(part, seconds: 60)
        #expect(!sidecar.log.contains("base backup starts"))
        // One that nobody lets in at its start may have ended by itself.
        let status = try sidecar.terminate()
        #expect([.exited(0), .exited(5)].contains(status), "\(status): \(sidecar.log)")
        return checked
    }

    @Test func `a standalone server is refused with what makes it a set`() async throws {
        try await offPool {
            let source = try MongodServer.start(MongodServer.Options(setName: nil))
            for url in [source.url, source.url + "/?replicaSet=rs0"] {
                let told = try Self.said(
                    MongodHarness(url: url), "is a standalone server")
                #expect(told.contains("--replSet rs0") && told.contains("rs.initiate()"))
            }
        }
    }

    @Test func `another set than the url names is refused by name`() async throws {
        try await offPool {
            let source = try MongodServer.start()
            let harness = try MongodHarness(url: source.url + "/?replicaSet=lessons")
            let told = try Self.said(harness, "replicaSet")
            #expect(told.contains("belongs to replica set rs0"), "\(told)")
            #expect(told.contains("write replicaSet=rs0"), "\(told)")
            let (known, gone) = (source.port, try freePort())
            try harness.write(
                url: "mongodb://127.0.0.1:\(gone),127.0.0.1:\(known)/?replicaSet=lessons")
            #expect(try harness.expect(5, ["check"]).contains("belongs to replica set rs0"))
        }
    }

    @Test func `a member whose set has no primary, or is not initiated, is told as such`()
        async throws
    {
        try await offPool {
            let source = try MongodServer.start(MongodServer.Options(initiates: false))
            for url in [source.url, source.url + "/?replicaSet=rs0"] {
                let harness = try MongodHarness(url: url)
                let told = try Self.said(harness, "was not initiated yet")
                #expect(told.contains("rs.initiate()"), "\(told)")
            }
            // The only one that may be the primary is out of reach.
            let gone = try freePort()
            try source.run(
                """
                import time
                host = {"_id": 0, "host": "127.0.0.1:\(source.port)"}
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": [host]})
                while not client.admin.command("isMaster")["ismaster"]: time.sleep(0.02)
                """)
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            let sidecar = try harness.startWithBackup()
            try source.run(
                """
                import time
                config = client.admin.command("replSetGetConfig")["config"]
                config["version"] += 100000
                config["members"][0]["priority"] = 0
                config["members"].append({"_id": 1, "host": "127.0.0.1:\(gone)"})
                try: client.admin.command("replSetReconfig", config, force=True)
                except pymongo.errors.AutoReconnect: pass
                while client.admin.command("isMaster")["ismaster"]: time.sleep(0.02)
                """)
            try sidecar.waitForLog("replica set rs0 has no primary")
            try sidecar.waitForLog("127.0.0.1:\(gone)")
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test(.enabled(if: !MongodServer.isAtLeast(5, 0)))
    func `a server whose majority reads are switched off is refused`() async throws {
        try await offPool {
            let source = try MongodServer.start(
                MongodServer.Options(arguments: ["--enableMajorityReadConcern", "false"]))
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            let told = try Self.said(harness, "majority reads switched off")
            #expect(told.contains("enableMajorityReadConcern"), "\(told)")
        }
    }

    /// The roles in a statement that was printed.
    private static func roles(_ text: String, of call: String) throws -> String {
        let start = try #require(text.ranges(of: call).first?.upperBound, "\(text)")
        let list = try #require(text[start...].firstIndex(of: "["), "\(text)")
        let end = try #require(text[list...].firstIndex(of: "]"), "\(text)")
        return String(text[list...end])
    }

    @Test func `the statements that are printed give a user all that is needed`() async throws {
        try await offPool {
            let source = try MongodServer.start(MongodServer.Options(hasLogin: true))
            // The first user, by the server's exception for its own machine.
            try source.run(
                """
                client.admin.command("createUser", "root", pwd="r", roles=["root"])
                """)
            let root =
                "client = pymongo.MongoClient('mongodb://root:r@127.0.0.1:\(source.port)"
                + "/?directConnection=true')\n"
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            _ = try Self.said(harness, "user")
            let login = "mongodb://tidemark:s3same@127.0.0.1:\(source.port)/?replicaSet=rs0"
            try harness.write(url: login)
            let unknown = try Self.said(harness, "createUser(")
            let roles = try Self.roles(unknown, of: "createUser(")
            #expect(unknown.contains("user: \"tidemark\"") && !unknown.contains("s3same"))
            // A user without rights hears which statement gives them.
            try source.run(
                root + "client.admin.command('createUser', 'tidemark', pwd='s3same', roles=[])")
            let poor = try Self.said(harness, "grantRolesToUser(\"tidemark\"")
            try source.run(
                root + "client.admin.command('grantRolesToUser', 'tidemark', roles="
                    + Self.roles(poor, of: "grantRolesToUser(") + ")")
            try harness.expect(0, ["check"])
            // And so does the one that makes the user.
            try source.run(
                root + """
                    client.admin.command("dropUser", "tidemark")
                    client.admin.command("createUser", "tidemark", pwd="s3same", roles=\(roles))
                    client.shop.kept.insert_one({"_id": 1})
                    """)
            try harness.expect(0, ["check"])
            let sidecar = try harness.startWithBackup()
            try source.run(root + "client.shop.kept.insert_one({'_id': 2})")
            try harness.expect(0, ["mark", "end"])
            try harness.waitProved()
            #expect(try sidecar.terminate().isSuccess)
            let target = try MongodServer.start()
            try harness.restore(to: "point:end", into: target)
            let told = try target.run(
                """
                users = sorted(x["user"] for x in client.admin.system.users.find())
                print(client.shop.kept.count_documents({}), users)
                """)
            #expect(told == "2 ['root', 'tidemark']")
            try harness.write(
                url: "mongodb://tidemark:wrong@127.0.0.1:\(source.port)/?replicaSet=rs0")
            let wrong = try Self.said(harness, "does not take the password of user tidemark")
            #expect(!wrong.contains("wrong@"))
        }
    }
}
