import Model
import TestKit
import Testing

@testable import Mongo

@Suite struct DirectUpdateTests {
    private func form(_ json: String) throws -> UpdateForm {
        try UpdateForm(ExtendedJSON.parse(Array(json.utf8), "a test's update"))
    }

    @Test(arguments: [
        #"{"$v":1,"$set":{"a":1}}"#, #"{"$v":1,"$set":{"b":1,"a":{"x":[1,{"y":2}]}}}"#,
        #"{"$v":1,"$set":{"a":1},"$unset":{"b":true}}"#, #"{"$v":1,"$unset":{"b":true}}"#,
        #"{"$v":2,"diff":{"u":{"a":1,"b":2},"d":{"c":false}}}"#,
    ])
    func `fields at the top are for the server`(_ update: String) throws {
        let form = try form(update)
        #expect(DirectUpdate(form) != nil)
    }

    @Test(arguments: [
        // Whole, empty, or of what lies deeper.
        #"{"_id":1,"a":1}"#, #"{"$v":1,"$set":{}}"#, #"{"$v":1,"$set":{"a.b":1}}"#,
        #"{"$v":2,"diff":{"sa":{"u":{"b":1}}}}"#, #"{"$v":2,"diff":{"sa":{"a":true,"l":1}}}"#,
        // Names that say more than a name.
        #"{"$v":1,"$set":{"_id":1}}"#, #"{"$v":1,"$set":{"0":1}}"#,
        #"{"$v":2,"diff":{"u":{"":1}}}"#, #"{"$v":2,"diff":{"u":{"a.b":1}}}"#,
        #"{"$v":2,"diff":{"u":{"$a":1}}}"#, #"{"$v":2,"diff":{"d":{"a.b":false}}}"#,
        // A delta's own order of new fields, and what it moves.
        #"{"$v":2,"diff":{"u":{"b":1,"a":2}}}"#, #"{"$v":2,"diff":{"i":{"a":1}}}"#,
        #"{"$v":2,"diff":{"u":{"a":1},"i":{"b":1}}}"#,
        // Values that servers treat differently.
        #"{"$v":1,"$set":{"a":{"$timestamp":{"t":0,"i":0}}}}"#,
        #"{"$v":1,"$set":{"a":[{"b":{"$timestamp":{"t":0,"i":0}}}]}}"#,
        #"{"$v":1,"$set":{"a":{"b":{"c.d":1}}}}"#, #"{"$v":1,"$set":{"a":{"":1}}}"#,
        #"{"$v":1,"$set":{"a":{"$ref":"c","$id":1}}}"#, #"{"$v":1,"$set":{"a":{"$minKey":1}}}"#,
        #"{"$v":1,"$set":{"a":{"$regularExpression":{"pattern":"x","options":"i"}}}}"#,
        #"{"$v":1,"$set":{"a":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}}"#,
    ])
    func `what a server may see otherwise is not`(_ update: String) throws {
        let form = try form(update)
        #expect(DirectUpdate(form) == nil)
    }

    @Test func `large values and arrays with names of their own go with their document`() throws {
        let large = BSONValue.string(String(repeating: "x", count: 1 << 17))
        let odd = BSONValue(.array, ArraySlice(BSONDocument([("5", .int32(1))]).bytes))
        for value in [large, odd] {
            let update = BSONDocument([("$set", .document(BSONDocument([("a", value)])))])
            let form = try UpdateForm(update)
            #expect(DirectUpdate(form) == nil)
        }
    }

    @Test(arguments: [
        ([#"{"$set":{"a":1}}"#, #"{"$set":{"a":2,"b":1}}"#], true),
        ([#"{"$set":{"a":1}}"#, #"{"$unset":{"a":true}}"#, #"{"$set":{"B":1}}"#], true),
        // The new fields would come in another order.
        ([#"{"$set":{"b":1}}"#, #"{"$set":{"a":2}}"#], false),
        // It moves behind the others, or only its second goes.
        ([#"{"$unset":{"a":true}}"#, #"{"$set":{"a":1}}"#], false),
        ([#"{"$unset":{"a":true}}"#, #"{"$unset":{"a":true}}"#], false),
        ([#"{"$set":{"a":1}}"#, #"{"$set":{"a.b":1}}"#], false),
    ])
    func `several are put together where that is the same`(
        _ updates: [String], _ isSame: Bool
    ) throws {
        var all = try DirectUpdate(form(updates[0]))
        for update in updates.dropFirst() { all = try all?.followed(by: form(update)) }
        #expect((all != nil) == isSame)
    }

    @Test(arguments: 0..<300)
    func `any updates make of any document what they make of it one by one`(
        _ seed: UInt64
    ) throws {
        var random = RandomUpdates(seed: seed)
        var direct = 0
        for _ in 0..<120 {
            let before = random.document(.int32(1))
            let forms = try (0..<random.number(1..<4)).map { _ in try UpdateForm(random.update()) }
            var wanted = before
            for form in forms { wanted = form.applied(to: wanted).document }
            var update = DirectUpdate(forms[0])
            for form in forms.dropFirst() { update = update?.followed(by: form) }
            guard let update else { continue }
            direct += 1
            #expect(MemoryDatabase.changed(before, update) == wanted, "seed \(seed)")
            #expect(update.form.applied(to: before).document == wanted, "seed \(seed)")
        }
        #expect(direct > 0)
    }

    @Test func `keys follow an index for the usual types`() {
        let ordered: [[BSONValue]] = [
            [.int32(-5), .int64(-1), .int32(0), .double(3), .int64(1 << 40)],
            [.string("a"), .string("aa"), .string("b"), .string("bcdefghij")],
            [.objectID([1] + Array(repeating: 9, count: 11)), .objectID([UInt8](2..<14))],
            [.date(milliseconds: 5), .date(milliseconds: 300)],
        ]
        for ids in ordered {
            #expect(ids.shuffled().sorted(byKey: IndexOrder.key) == ids)
        }
    }
}
