import Model
import Testing

@testable import Mongo

@Suite struct ModifierUpdateTests {
    private func doc(_ json: String) throws -> BSONDocument {
        try ExtendedJSON.parse(Array(json.utf8), "a test's document")
    }

    @Test(arguments: [
        (#"{"_id":1,"a":1}"#, #"{"$v":1,"$set":{"a":2}}"#, #"{"_id":1,"a":2}"#),
        // New fields by name, numbers as numbers.
        (
            #"{"_id":1}"#, #"{"$v":1,"$set":{"b":1,"a":2,"10":3,"9":4}}"#,
            #"{"_id":1,"9":4,"10":3,"a":2,"b":1}"#
        ),
        (#"{"_id":1}"#, #"{"$set":{"a.b.c":1}}"#, #"{"_id":1,"a":{"b":{"c":1}}}"#),
        (
            #"{"_id":1,"a":{"x":1}}"#, #"{"$v":1,"$set":{"a.b":1,"a.x":2}}"#,
            #"{"_id":1,"a":{"x":2,"b":1}}"#
        ),
        (
            #"{"_id":1,"a":{"x":1,"y":2}}"#, #"{"$v":1,"$unset":{"a.x":true,"q.r":true}}"#,
            #"{"_id":1,"a":{"y":2}}"#
        ),
        // Arrays.
        (#"{"_id":1,"a":[1,2]}"#, #"{"$v":1,"$set":{"a.1":9}}"#, #"{"_id":1,"a":[1,9]}"#),
        (
            #"{"_id":1,"a":[1]}"#, #"{"$v":1,"$set":{"a.3":9}}"#,
            #"{"_id":1,"a":[1,null,null,9]}"#
        ),
        (
            #"{"_id":1,"a":[1,2]}"#, #"{"$v":1,"$unset":{"a.0":true,"a.5":true}}"#,
            #"{"_id":1,"a":[null,2]}"#
        ),
        (
            #"{"_id":1,"a":[{"k":1}]}"#, #"{"$v":1,"$set":{"a.0.k":2,"a.0.l":3}}"#,
            #"{"_id":1,"a":[{"k":2,"l":3}]}"#
        ),
        (
            #"{"_id":1,"a":{"0":1}}"#, #"{"$v":1,"$set":{"a.0":2,"a.1":3}}"#,
            #"{"_id":1,"a":{"0":2,"1":3}}"#
        ),
    ])
    func `modifiers are applied as the server does`(
        _ before: String, _ update: String, _ after: String
    ) throws {
        let result = try ModifierUpdate(doc(update)).applied(to: doc(before))
        #expect(try result.document == doc(after))
        #expect(result.misses == 0)
    }

    @Test func `a path through a scalar is left out and counted`() throws {
        let result = try ModifierUpdate(doc(#"{"$set":{"a.b":1,"c":2,"l.x":3}}"#))
            .applied(to: doc(#"{"_id":1,"a":5,"l":[1]}"#))
        #expect(try result.document == doc(#"{"_id":1,"a":5,"l":[1],"c":2}"#))
        #expect(result.misses == 2)
    }

    @Test func `a modifier that nobody knows is refused`() throws {
        let update = try doc(#"{"$v":1,"$inc":{"a":1}}"#)
        #expect(throws: BSONFailure.self) { _ = try ModifierUpdate(update) }
    }
}
