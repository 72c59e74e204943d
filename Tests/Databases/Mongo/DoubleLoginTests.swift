import FoundationEssentials
import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Logins at the double: as a real server was recorded to answer them, and through our room.
@Suite struct DoubleLoginTests {
    private static let password = "p=,w"

    private func double(_ users: [MongoDoubleUser]? = nil) throws -> MongoDouble {
        let double = try MongoDouble(entries: MongoFixture("shop").oplog(), visible: 20)
        let users = users ?? [MongoDoubleUser("tidemark", password: "s3same")]
        double.state.update { $0.contact.users = users }
        return double
    }

    private func room(_ double: MongoDouble, _ login: String, _ options: String) throws -> MongoRoom
    {
        let url = "mongodb://\(login)127.0.0.1:\(double.port)/?\(options)"
        return MongoRoom(
            try MongoConfiguration(source: SourceID("lessons")!, url: url),
            time: SystemTimeSource())
    }

    private struct Recorded: Sendable {
        var user: String
        var password: String
        var first: String
        var greeting: String
        var final: String
        var answer: String
    }

    /// Of a 4.4.4, with passwords that are known.
    private static let recorded = [
        Recorded(
            user: "root", password: "rootpw", first: "n,,n=root,r=rOprNGfwEbeRWgbNEkqO",
            greeting: "cj1yT3ByTkdmd0ViZVJXZ2JORWtxT0R4dUtpSi8zUnNmYmkvWml6RytHNmhHNVZDeTFCVkhyLHM9"
                + "ajI3TEhYdDBheTZycXZ3VFVwcWd1VHNlVHpZNXZLeitEbExhZ2c9PSxpPTE1MDAw",
            final:
                "Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU9EeHVLaUovM1JzZmJpL1ppekcrRzZoRzVWQ3kxQlZI"
                + "cixwPUtVNWVaYTZGRG1yOE1sNWZSTjh5SWdMdGQwK0k5T2dDQndtZ0hxdUlRTm89",
            answer: "dj1uNkJpS2dHekUveFp0TGkvaUdiWnZTcis5aDFiSWJEMVRzQVY3LzdJejlrPQ=="),
        Recorded(
            user: "we=ird,us er", password: password,
            first: "n,,n=we=3Dird=2Cus er,r=rOprNGfwEbeRWgbNEkqO",
            greeting: "cj1yT3ByTkdmd0ViZVJXZ2JORWtxTzhZTDF2S1NTbGF1a3dUK0xtU3hrcXlLYmpxK1ErdkRFLHM9"
                + "TnIrV2hjaEYxSnhZRG9DYU55YkozNGM0N21GOURIVEZlS2Fwcnc9PSxpPTE1MDAw",
            final:
                "Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU84WUwxdktTU2xhdWt3VCtMbVN4a3F5S2JqcStRK3ZE"
                + "RSxwPUNBMjE5RVFUUlM5dCtBVm5pZFY3c2JvTnRFUG91U1lrWFFtNkVYQUlpNHc9",
            answer: "dj11cnNNbGZlUlU5WVkwV3J3MFA4NU8yVFZ3NDlHMndxZzJ5ZGNabXVrMzdNPQ=="),
    ]

    @Test(arguments: recorded.indices)
    func `a login is answered byte for byte as a real server answered it`(_ number: Int) throws {
        let one = Self.recorded[number]
        let greeting = String(
            decoding: try #require(Data(base64Encoded: one.greeting)), as: UTF8.self)
        let parts = greeting.split(separator: ",").map(String.init)
        let nonce = try #require(parts.first?.dropFirst("r=rOprNGfwEbeRWgbNEkqO".count))
        let salt = try #require(Data(base64Encoded: String(parts[1].dropFirst(2))))
        let user = MongoDoubleUser(one.user, password: one.password, salt: Array(salt))
        let scram = try #require(
            MongoDoubleScram(
                Array(one.first.utf8), nonce: String(nonce), users: [user], on: "admin"))
        #expect(String(decoding: scram.greeting, as: UTF8.self) == greeting)
        let final = Array(try #require(Data(base64Encoded: one.final)))
        #expect(scram.answer(final) == Array(try #require(Data(base64Encoded: one.answer))))
        // Another password has another proof, and a proof is of one exchange only.
        let other = MongoDoubleUser(one.user, password: "x", salt: Array(salt))
        let wrong = MongoDoubleScram(
            Array(one.first.utf8), nonce: String(nonce), users: [other], on: "admin")
        #expect(wrong?.answer(final) == nil)
        let later = MongoDoubleScram(
            Array(one.first.utf8), nonce: "later", users: [user], on: "admin")
        #expect(later?.answer(final) == nil)
    }

    @Test(
        arguments: ["", "&authMechanism=SCRAM-SHA-256", "&compressors=zlib"],
        [(true, true), (true, false), (false, true), (false, false)])
    func `the room logs in, begun in the greeting or not, with one exchange less or not`(
        options: String, server: (answersEarly: Bool, skips: Bool)
    ) async throws {
        try await offPool {
            let double = try double()
            double.state.update {
                $0.contact.answersEarly = server.answersEarly
                $0.contact.skipsEmptyExchange = server.skips
            }
            let room = try room(double, "tidemark:s3same@", "replicaSet=rs0" + options)
            let inspector = room.inspector()
            #expect(try inspector.check().allSatisfy { $0.level != .error })
            #expect(try inspector.probe().bound == double.state.read { $0.newest.ordinal })
            let (commands, greetings) = double.state.read { ($0.commands, $0.contact.greetings) }
            let logins = commands["saslContinue"] ?? 0
            #expect(logins > 0 && !greetings.isEmpty)
            #expect(server.answersEarly == (commands["saslStart"] == nil), "\(commands)")
            #expect(server.skips || logins.isMultiple(of: 2), "an empty exchange: \(commands)")
            let isNamed = options.contains("authMechanism")
            for greeting in greetings {
                let asked = greeting.request["saslSupportedMechs"]?.string
                #expect(asked == (isNamed ? nil : "admin.tidemark"))
                #expect(greeting.request["speculativeAuthenticate"] != nil)
            }
            inspector.close()
        }
    }

    @Test(arguments: [
        ("tidemark:other@", ""), ("nobody:s3same@", ""), ("tidemark:s3same@", "&authSource=school"),
        ("tidemark:other@", "&authMechanism=SCRAM-SHA-256"),
    ])
    func `a wrong password, user or database is told with the remedy, and not the password`(
        login: String, options: String
    ) async throws {
        try await offPool {
            let double = try double()
            let room = try room(double, login, "replicaSet=rs0" + options)
            let error = #expect(throws: TidemarkError.self) { try room.inspector().check() }
            #expect(error?.code == .sourceRefused, "\(String(describing: error))")
            let user = login.prefix { $0 != ":" }
            #expect(
                error?.message.contains("does not take the password of user \(user)") == true,
                "\(String(describing: error))")
            #expect(error?.remedy.contains("createUser({user: \"tidemark\"") == true)
            #expect(!"\(String(describing: error))".contains("s3same"))
            #expect(double.state.read { $0.commands["find"] } == nil, "nothing was asked")
        }
    }

    @Test(arguments: [true, false])
    func `a server that does not know the password either is told nothing`(
        _ answersEarly: Bool
    ) async throws {
        try await offPool {
            let double = try double()
            double.state.update {
                $0.contact.isImpostor = true
                $0.contact.answersEarly = answersEarly
            }
            let room = try room(double, "tidemark:s3same@", "replicaSet=rs0")
            let error = #expect(throws: TidemarkError.self) { try room.inspector().check() }
            #expect(error?.code == .sourceRefused, "\(String(describing: error))")
            #expect(error?.message.contains("does not know the password of user tidemark") == true)
            #expect(error?.remedy.contains("see who listens at that address") == true)
            #expect(!"\(String(describing: error))".contains("s3same"))
            #expect(double.state.read { $0.commands["find"] } == nil, "nothing was asked")
        }
    }

    @Test func `before a login only greetings are answered, and the remedy names the url`()
        async throws
    {
        try await offPool {
            let double = try double()
            let connection = try Connection(
                MongoConfiguration(
                    source: SourceID("lessons")!, url: "mongodb://127.0.0.1:\(double.port)/"))
            for name in ["isMaster", "ping", "buildInfo"] {
                _ = try connection.run(BSONDocument([(name, .int32(1))]))
            }
            for name in ["listDatabases", "replSetGetStatus", "serverStatus", "usersInfo"] {
                let answer = try connection.answer(BSONDocument([(name, .int32(1))]))
                guard case .failure(let failure) = answer else {
                    Issue.record("\(name) was answered")
                    continue
                }
                #expect(failure.isMissingRight, "\(failure)")
                #expect(failure.text == "command \(name) requires authentication")
                let told = failure.error(connection.configuration, command: name)
                #expect(told.remedy.contains("mongodb://user:password@host/"))
            }
            let inspector = try room(double, "", "replicaSet=rs0").inspector()
            let finding = try #require(try inspector.check().first { $0.level == .error })
            #expect(finding.message.contains("read local.oplog.rs"))
            inspector.close()
        }
    }

    @Test func `another driver logs in too, and is refused with another password`() async throws {
        try await offPool {
            let double = try double()
            let script = """
                from pymongo.errors import OperationFailure
                url = "mongodb://tidemark:%s@127.0.0.1:\(double.port)/?directConnection=true"
                one = pymongo.MongoClient(url % "s3same")
                print(one.admin.command("usersInfo", "tidemark")["users"][0]["_id"])
                try: pymongo.MongoClient(url % "other").admin.command("usersInfo", 1)
                except OperationFailure as error: print(error.code)
                """
            let told = try SecantusServer.python(
                script, url: "mongodb://127.0.0.1:\(double.port)/?directConnection=true",
                seconds: 60)
            #expect(told == "admin.tidemark\n18")
        }
    }
}
