import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// First contact, sessions, and times that pass from server to server: what drivers say, and what
/// the double makes of it.
@Suite struct DoubleContactTests {
    private func double(_ visible: Int = 20) throws -> MongoDouble {
        try MongoDouble(entries: MongoFixture("shop").oplog(), visible: visible)
    }

    private func connection(_ double: MongoDouble, _ options: String = "") throws -> Connection {
        try Connection(
            MongoConfiguration(
                source: SourceID("lessons")!,
                url: "mongodb://127.0.0.1:\(double.port)/?\(options)"))
    }

    private func python(_ double: MongoDouble, _ script: String) throws -> String {
        try SecantusServer.python(
            script, url: "mongodb://127.0.0.1:\(double.port)/?directConnection=true", seconds: 60)
    }

    @Test(arguments: ["replicaSet=rs0", "", "compressors=zlib"])
    func `the first message is an old one, without compression unless it is asked for`(
        _ options: String
    ) async throws {
        try await offPool {
            let double = try double()
            let connection = try connection(double, options)
            // The double offers no compression: the messages behind it are plain.
            let reply = try connection.run(BSONDocument([("hello", .int32(1))]))
            #expect(reply["isWritablePrimary"]?.isTrue == true && reply["ismaster"] == nil)
            #expect(reply["compression"] == nil && reply["topologyVersion"] == nil)
            let first = try #require(double.state.read { $0.contact.greetings.first })
            #expect(first.isQuery && first.request.firstName == "isMaster")
            #expect(first.request["helloOk"]?.isTrue == true)
            let offered = first.request["compression"]?.elements?.compactMap(\.string)
            #expect(offered == (options.contains("compressors") ? ["zlib"] : []))
            let application = first.request["client"]?.document?["application"]?.document
            #expect(application?["name"]?.string == "tidemark")
        }
    }

    @Test func `every answer brings the server's time, and the driver brings it to the next one`()
        async throws
    {
        try await offPool {
            let double = try double()
            let other = try MongoDouble(entries: MongoFixture("shop").oplog(), visible: 5)
            MongoDouble.join([double, other])
            let connection = try connection(double, "replicaSet=rs0")
            let ping = BSONDocument([("ping", .int32(1))])
            for _ in 0..<3 {
                double.write(10)
                let newest = double.state.read { $0.newest }
                let reply = try connection.run(ping, at: .primary)
                #expect(reply["operationTime"]?.timestamp == newest)
                let gossip = reply["$clusterTime"]?.document
                #expect(gossip?["clusterTime"]?.timestamp == newest)
                #expect(gossip?["signature"]?.document?["keyId"]?.integer == 0)
                _ = try connection.run(ping, at: .primary)
                #expect(double.state.read { $0.contact.gossip } == newest, "echoed")
            }
            // A member that has less learns the time, and keeps its own operation's.
            let secondary = try connection.select(.anyMember)
            let reply = try connection.run(ping, at: .server(secondary))
            #expect(reply["operationTime"]?.timestamp == other.state.read { $0.newest })
            #expect(
                reply["$clusterTime"]?.document?["clusterTime"]?.timestamp
                    == double.state.read { $0.newest })
            // A majority read is of the majority's time, and an error has a time too.
            double.holdBack(5)
            let majority = BSONDocument([("level", .string("majority"))])
            let read = try connection.run(
                BSONDocument([("find", .string("none")), ("readConcern", .document(majority))]),
                on: "shop", at: .primary)
            #expect(read["operationTime"]?.timestamp == double.state.read { $0.majority })
            let told = try python(
                double,
                """
                from pymongo.errors import OperationFailure
                try: client.admin.command("nosuchcommand")
                except OperationFailure as error: print(error.code, list(error.details))
                """)
            #expect(
                told
                    == "59 ['operationTime', 'ok', 'errmsg', 'code', 'codeName', '$clusterTime']")
        }
    }

    @Test func `a standalone server has no such times`() async throws {
        try await offPool {
            let double = try double()
            double.state.update { $0.setName = nil }
            let reply = try connection(double).run(BSONDocument([("ping", .int32(1))]))
            #expect(reply["operationTime"] == nil && reply["$clusterTime"] == nil)
        }
    }

    @Test func `sessions are used where the server tells how long they last, and ended`()
        async throws
    {
        try await offPool {
            let double = try double()
            let script = """
                from pymongo.errors import ConfigurationError
                try:
                    with client.start_session() as session:
                        client.shop.command("count", "none", session=session)
                except ConfigurationError as error: print(error)
                client.close()
                """
            double.state.update { $0.contact.sessionMinutes = nil }
            #expect(try python(double, script).contains("Sessions are not supported"))
            #expect(double.state.read { $0.contact.sessionCount } == 0)
            double.state.update { $0.contact.sessionMinutes = 30 }
            #expect(try python(double, script) == "")
            let (commands, contact) = double.state.read { ($0.commands, $0.contact) }
            #expect(contact.sessionCount > 0 && contact.sessions.isEmpty)
            #expect(commands["endSessions"] == 1)
        }
    }

    @Test func `a primary of an earlier election is not taken for the set's`() async throws {
        try await offPool {
            for swaps in [false, true] {
                let (old, new) = (try double(10), try double(30))
                let all = swaps ? [new, old] : [old, new]
                MongoDouble.join(all)
                for double in all { double.state.update { $0.isPrimary = true } }
                new.state.update { $0.term = 2 }
                let url =
                    "mongodb://127.0.0.1:\(all[0].port),127.0.0.1:\(all[1].port)/?replicaSet=rs0"
                let connection = try Connection(
                    MongoConfiguration(source: SourceID("lessons")!, url: url))
                let primary = try connection.select(.primary)
                // The other is asked, too, before anything is decided.
                try eventually("both have been asked", seconds: 30) {
                    _ = try connection.select(.primary)
                    return all.allSatisfy { $0.state.read { !$0.contact.greetings.isEmpty } }
                }
                _ = primary
                let chosen = connection.address(try connection.select(.primary))
                #expect(chosen == "127.0.0.1:\(new.port)", "swapped: \(swaps)")
            }
        }
    }
}
