import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Collections, views, indexes and `applyOps` of the double.
@Suite struct DoubleDefinitionTests {
    private func json(_ text: String) throws -> BSONDocument { try DoubleUse.document(text) }

    @Test func `collections are made with their options, renamed and dropped`() async throws {
        try await offPool {
            let use = try DoubleUse()
            let collation = try json(#"{"locale":"fr"}"#)
            try use.run([("create", .string("c")), ("collation", .document(collation))])
            #expect(use.stored()?.options == BSONDocument([("collation", .document(collation))]))
            #expect(try use.refusal([("create", .string("c"))]) == 48)
            try use.insert([try json(#"{"_id":1}"#)], into: Namespace("db", "d"))
            let rename: [(String, BSONValue)] = [
                ("renameCollection", .string("db.d")), ("to", .string("db.c")),
            ]
            #expect(try use.refusal(rename, on: "admin") == 48)
            let uuid = use.stored(Namespace("db", "d"))?.uuid
            try use.run(rename + [("dropTarget", .bool(true))], on: "admin")
            #expect(use.stored()?.uuid == uuid && use.documents().count == 1)
            #expect(use.stored(Namespace("db", "d")) == nil)
            #expect(try use.refusal(rename, on: "admin") == 26)
            try use.run([("drop", .string("c"))])
            #expect(try use.refusal([("drop", .string("c"))]) == 26)
            try use.run([("create", .string("v")), ("viewOn", .string("c"))])
            #expect(use.stored(Namespace("db", "v"))?.type == "view")
            let toView: [(String, BSONValue)] = [
                ("insert", .string("v")), ("documents", .array([.document(.empty)])),
            ]
            #expect(try use.refusal(toView) == 166)
            try use.run([("dropDatabase", .int32(1))])
            #expect(use.double.state.read { $0.collections.isEmpty })
        }
    }

    @Test func `indexes and options are made, changed and dropped`() async throws {
        try await offPool {
            let use = try DoubleUse()
            let index = try json(#"{"key":{"a":1},"name":"a_1","unique":true}"#)
            let made = try use.run([
                ("createIndexes", .string("c")), ("indexes", .array([.document(index)])),
            ])
            #expect(made["numIndexesBefore"]?.integer == 1)
            #expect(made["numIndexesAfter"]?.integer == 2)
            #expect(made["createdCollectionAutomatically"]?.isTrue == true)
            let other = try json(#"{"key":{"b":1},"name":"a_1"}"#)
            let clash: [(String, BSONValue)] = [
                ("createIndexes", .string("c")), ("indexes", .array([.document(other)])),
            ]
            #expect(try use.refusal(clash) == 86)
            try use.run([
                ("collMod", .string("c")),
                ("index", .document(try json(#"{"name":"a_1","hidden":true}"#))),
                ("validationLevel", .string("off")),
            ])
            #expect(use.stored()?.options["validationLevel"]?.string == "off")
            var listed: [BSONDocument] = []
            try use.connection.each(
                BSONDocument([("listIndexes", .string("c"))]), on: "db", at: .primary
            ) { listed.append($0) }
            #expect(listed.last?["hidden"]?.isTrue == true && listed.last?["v"]?.integer == 2)
            #expect(
                try use.refusal([("dropIndexes", .string("c")), ("index", .string("none"))]) == 27)
            try use.run([("dropIndexes", .string("c")), ("index", .string("*"))])
            #expect(use.stored()?.indexes.count == 1)
            #expect(try use.refusal([("collMod", .string("none"))]) == 26)
        }
    }

    @Test func `a time series is a view over its buckets, and its indexes are told in its fields`()
        async throws
    {
        try await offPool {
            let series = try json(#"{"timeField":"t","metaField":"m"}"#)
            let create: [(String, BSONValue)] = [
                ("create", .string("w")), ("timeseries", .document(series)),
            ]
            #expect(try DoubleUse(version: "4.4.4").refusal(create) == 40415)
            let use = try DoubleUse(version: "6.3.1")
            #expect(try use.refusal(create + [("validator", .document(.empty))]) == 72)
            #expect(try use.refusal([("create", .string("system.buckets.w"))]) == 73)
            try use.run(create)
            #expect(try use.refusal(create) == 48)
            let whole = try json(
                #"{"timeField":"t","metaField":"m","granularity":"seconds","#
                    + #""bucketMaxSpanSeconds":3600}"#)
            let shown = try #require(use.stored(Namespace("db", "w")))
            #expect(shown.type == "timeseries" && shown.uuid == nil)
            #expect(shown.options == BSONDocument([("timeseries", .document(whole))]))
            let buckets = try #require(use.stored(Namespace("db", "system.buckets.w")))
            #expect(buckets.options["clusteredIndex"]?.isTrue == true && buckets.uuid != nil)
            let index = try json(#"{"key":{"m.city":1,"hum":-1},"name":"odd"}"#)
            try use.run([
                ("createIndexes", .string("w")), ("indexes", .array([.document(index)])),
            ])
            func keys(_ place: String) throws -> [BSONDocument?] {
                var keys: [BSONDocument?] = []
                try use.connection.each(
                    BSONDocument([("listIndexes", .string(place))]), on: "db", at: .primary
                ) { keys.append($0["key"]?.document) }
                return keys
            }
            // From 6.3 on one is made with it.
            #expect(
                try keys("system.buckets.w") == [
                    try json(#"{"meta":1,"control.min.t":1,"control.max.t":1}"#),
                    try json(#"{"meta.city":1,"control.max.hum":-1,"control.min.hum":-1}"#),
                ])
            #expect(
                try keys("w") == [try json(#"{"m":1,"t":1}"#), try json(#"{"m.city":1,"hum":-1}"#)])
            #expect(
                try use.refusal([
                    ("insert", .string("w")), ("documents", .array([.document(.empty)])),
                ]) == 115)
            try use.run([
                ("collMod", .string("w")),
                ("timeseries", .document(try json(#"{"granularity":"hours"}"#))),
            ])
            for place in ["w", "system.buckets.w"] {
                let now = use.stored(Namespace("db", place))?.options["timeseries"]?.document
                #expect(now?["bucketMaxSpanSeconds"]?.integer == 2_592_000, "\(place)")
            }
            try use.run([("drop", .string("w"))])
            #expect(use.double.state.read { $0.collections.isEmpty })
        }
    }

    // MARK: applyOps

    private func applied(
        _ operations: [String], version: String, upserts: Bool? = nil
    ) throws -> (code: Int, documents: [BSONDocument]) {
        let use = try DoubleUse(version: version)
        try use.insert([try json(#"{"_id":1,"a":1}"#)])
        var command: [(String, BSONValue)] = [
            ("applyOps", .array(try operations.map { .document(try json($0)) }))
        ]
        if let upserts { command.append(("alwaysUpsert", .bool(upserts))) }
        return (try use.refusal(command, on: "admin"), use.documents())
    }

    @Test func `applyOps does what each version does with an update of what is missing`()
        async throws
    {
        try await offPool {
            let missing = #"{"op":"u","ns":"db.c","o":{"_id":2,"a":2},"o2":{"_id":2}}"#
            let old = try applied([missing], version: "6.1.0")
            #expect(old.code == 0 && old.documents.count == 2)
            let new = try applied([missing], version: "6.2.0")
            #expect(new.code == 8 && new.documents.count == 1)
            #expect(try applied([missing], version: "6.1.0", upserts: false).code == 8)
            #expect(try applied([missing], version: "6.2.0", upserts: true).code == 6_711_601)
            let modifiers = ##"{"op":"u","ns":"db.c","o":{"$v":1,"$set":{"a":5}},"o2":{"_id":1}}"##
            for (version, code) in [("4.4.4", 0), ("6.0.5", 4_772_604), ("8.0.1", 0)] {
                let told = try applied([modifiers], version: version)
                #expect(told.code == code, "\(version)")
                #expect(told.documents.first?["a"]?.integer == (code == 0 ? 5 : 1), "\(version)")
            }
        }
    }

    @Test func `applyOps inserts and deletes again, and refuses what is no write`() async throws {
        try await offPool {
            let both = try applied(
                [
                    #"{"op":"i","ns":"db.c","o":{"_id":1,"a":7}}"#, #"{"op":"n","ns":"","o":{}}"#,
                    #"{"op":"d","ns":"db.c","o":{"_id":9}}"#,
                    #"{"op":"d","ns":"db.none","o":{"_id":9}}"#,
                    #"{"op":"i","ns":"db.c","o":{"_id":2}}"#,
                ], version: "4.4.4")
            #expect(both.code == 0)
            #expect(both.documents == [try json(#"{"_id":1,"a":7}"#), try json(#"{"_id":2}"#)])
            let refused: [(String, Int)] = [
                (#"{"op":"i","ns":"db.none","o":{"_id":1}}"#, 26),
                (#"{"op":"c","ns":"db.$cmd","o":{"createIndexes":"c"}}"#, 115),
                (#"{"op":"c","ns":"admin.$cmd","o":{"applyOps":[],"partialTxn":true}}"#, 31_056),
                (#"{"op":"c","ns":"admin.$cmd","o":{"applyOps":[],"count":3}}"#, 31_240),
                (#"{"op":"c","ns":"admin.$cmd","o":{"commitTransaction":1}}"#, 50_987),
                (##"{"op":"u","ns":"db.c","o":{"$v":2,"diff":{}},"o2":{"_id":1}}"##, 40_682),
            ]
            for (operation, code) in refused {
                #expect(try applied([operation], version: "4.4.4").code == code, "\(operation)")
            }
        }
    }
}
