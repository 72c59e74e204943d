import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// The double's writing half, through libmongoc and our own connection.
@Suite struct DoubleWriteTests {
    private func json(_ text: String) throws -> BSONDocument { try DoubleUse.document(text) }

    private func numbered(_ range: Range<Int32>) -> [BSONDocument] {
        range.map { BSONDocument([("_id", .int32($0)), ("v", .string("a"))]) }
    }

    @Test func `documents that are sent as a sequence are kept in order, known ones refused`()
        async throws
    {
        try await offPool {
            let use = try DoubleUse()
            let entries = use.double.state.read { $0.entries.count }
            let first = numbered(0..<5)
            let none = try BulkInsert.run(
                use.connection, DoubleUse.place, first.flatMap(\.bytes), count: 5, isOrdered: true)
            #expect(none.isEmpty && use.documents() == first)
            let more = numbered(3..<8).flatMap(\.bytes)
            let stopped = try BulkInsert.run(
                use.connection, DoubleUse.place, more, count: 5, isOrdered: true)
            #expect(stopped == [0] && use.documents() == first)
            let passed = try BulkInsert.run(
                use.connection, DoubleUse.place, more, count: 5, isOrdered: false)
            #expect(passed == [0, 1] && use.documents() == numbered(0..<8))
            // What was sent is told whole, and the oplog says nothing of it.
            let told = use.double.state.read { $0.record.about(DoubleUse.place) }
            #expect(told.map(\.name) == ["insert", "insert", "insert"])
            #expect(told.last?.command["documents"]?.elements?.count == 5)
            #expect(told.allSatisfy { $0.ended != nil } && !told[0].overlaps(told[1]))
            #expect(use.double.state.read { $0.entries.count } == entries)
            // Implicitly made, with the index that every collection has.
            #expect(use.stored()?.indexes.compactMap { $0["name"]?.string } == ["_id_"])
            #expect(try use.connection.documents([.int64(7)], in: DoubleUse.place).count == 1)
        }
    }

    @Test func `an update changes fields in place, and new ones come in the order of their names`()
        async throws
    {
        try await offPool {
            let use = try DoubleUse(version: "6.0.5")
            try use.insert([try json(#"{"_id":1,"a":1,"n":{"x":1},"l":[1,{"y":2}]}"#)])
            let reply = try use.update(
                .int64(1),
                try json(
                    ##"{"$set":{"z":1,"b":2,"a":3,"n.w":4,"l.1.y":5,"l.4":6,"o.p.q":7,"10":1,"9":1},"##
                        + ##""$unset":{"n.x":1,"l.0":1,"none.at.all":1}}"##))
            #expect(reply["n"]?.integer == 1 && reply["nModified"]?.integer == 1)
            #expect(
                use.documents() == [
                    try json(
                        #"{"_id":1,"a":3,"n":{"w":4},"l":[null,{"y":5},null,null,6],"9":1,"10":1,"#
                            + #""b":2,"o":{"p":{"q":7}},"z":1}"#)
                ])
            let same = try use.update(.int32(1), try json(##"{"$set":{"a":3}}"##))
            #expect(same["n"]?.integer == 1 && same["nModified"]?.integer == 0)
            // Before 5.0 numbers are names among others.
            let old = try DoubleUse(version: "4.4.4")
            try old.insert([try json(#"{"_id":1}"#)])
            try old.update(.int32(1), try json(##"{"$set":{"10":1,"9":1}}"##))
            #expect(old.documents() == [try json(#"{"_id":1,"10":1,"9":1}"#)])
        }
    }

    @Test func `what it does not do is refused with a code`() async throws {
        try await offPool {
            let use = try DoubleUse()
            try use.insert([try json(#"{"_id":1,"a":1}"#)])
            let cases: [(String, Int64)] = [
                (##"{"$inc":{"a":1}}"##, 9), (##"{"$set":{"a.b":1}}"##, 28),
                (##"{"$set":{"_id":2}}"##, 66), (#"{"_id":2}"#, 66),
                (##"{"$set":{"a":1,"a.b":2}}"##, 40), (##"{"$set":{"a.$[]":1}}"##, 52),
                (##"{"$set":{"":1}}"##, 56),
            ]
            for (update, code) in cases {
                let told = try use.update(.int32(1), try json(update))
                #expect(told.refusedCode == code, "\(update)")
            }
            #expect(use.documents() == [try json(#"{"_id":1,"a":1}"#)])
            let pipeline = BSONDocument([
                ("q", .document(.empty)), ("u", .array([.document(.empty)])),
            ])
            let told = try use.run([
                ("update", .string("c")), ("updates", .array([.document(pipeline)])),
            ])
            #expect(told.refusedCode == 9)
            let odd = try json(#"{"q":{"a":{"$gt":0}},"limit":0}"#)
            let deletion = try use.run([
                ("delete", .string("c")), ("deletes", .array([.document(odd)])),
            ])
            #expect(deletion.refusedCode == 2 && use.documents().count == 1)
            #expect(try use.refusal([("findAndModify", .string("c"))]) == 59)
            use.double.state.update { $0.isPrimary = false }
            #expect(
                try use.refusal([
                    ("insert", .string("c")), ("documents", .array([.document(.empty)])),
                ]) == 10107)
        }
    }

    @Test func `a document is replaced or made, with the server's time for an empty one`()
        async throws
    {
        try await offPool {
            let use = try DoubleUse()
            let empty = BSONDocument([
                ("_id", .int32(1)), ("at", .timestamp(.zero)),
                ("in", .document(BSONDocument([("at", .timestamp(.zero))]))),
            ])
            let made = try use.update(.int32(1), empty, upserts: true)
            #expect(made["upserted"]?.elements?.count == 1 && made["n"]?.integer == 1)
            let stored = try #require(use.documents().first)
            #expect(stored["at"]?.timestamp != .zero && stored["in"] == empty["in"])
            // As a restore writes them, also while they are new.
            for id in [Int32(1), 2] {
                let document = empty.setting("_id", .int32(id))
                var bulk = BulkWrite(use.connection, DoubleUse.place, isOrdered: true)
                bulk.put(.int32(id), document)
                #expect(try bulk.run() == (id == 1 ? 0 : 1))
                #expect(use.documents().contains(document))
            }
            #expect(try use.connection.delete([.int32(1), .int32(9)], in: DoubleUse.place) == 1)
            #expect(use.documents().count == 1)
        }
    }

    @Test func `it changes documents as a mongod does, which a restore tries first`() async throws {
        try await offPool {
            for version in ["4.4.4", "6.0.5"] {
                let use = try DoubleUse(version: version)
                #expect(try DirectUpdateProof(use.connection).run())
                #expect(use.double.state.read { $0.collections.isEmpty })
            }
        }
    }

    @Test func `a capped collection drops its oldest, and before 5_0 takes no deletion`()
        async throws
    {
        try await offPool {
            let use = try DoubleUse()
            try use.run([
                ("create", .string("c")), ("capped", .bool(true)), ("size", .int32(1 << 20)),
                ("max", .int32(3)),
            ])
            try use.insert(numbered(0..<5))
            #expect(use.documents() == numbered(2..<5))
            let longer = try json(##"{"$set":{"v":"longer"}}"##)
            #expect(try use.update(.int32(3), longer).refusedCode == 10003)
            #expect(throws: TidemarkError.self) {
                try use.connection.delete([.int32(3)], in: DoubleUse.place)
            }
            use.double.state.update { $0.version = "6.0.5" }
            #expect(try use.connection.delete([.int32(3)], in: DoubleUse.place) == 1)
            try use.update(.int32(2), longer)
            try use.insert(numbered(5..<7))
            #expect(use.documents().compactMap { $0["_id"]?.integer } == [4, 5, 6])
        }
    }

    @Test func `documents of a validator's collection are taken only past it`() async throws {
        try await offPool {
            let use = try DoubleUse()
            let validator = try json(#"{"a":{"$exists":true}}"#)
            try use.run([("create", .string("c")), ("validator", .document(validator))])
            let plain = try use.run([
                ("insert", .string("c")), ("documents", .array([.document(numbered(0..<1)[0])])),
            ])
            #expect(plain.refusedCode == 121 && use.documents().isEmpty)
            try use.insert(numbered(0..<1))
            #expect(use.documents().count == 1)
        }
    }
}
