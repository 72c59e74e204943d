import Model
import TestKit
import Testing

@testable import Mongo

/// Cases after the server's own document_diff_applier_test.cpp and
/// document_diff_serialization_test.cpp.
@Suite struct DeltaUpdateTests {
    private func doc(_ json: String) throws -> BSONDocument {
        try ExtendedJSON.parse(Array(json.utf8), "a test's document")
    }

    private func outcome(_ before: String, _ diff: String) throws -> UpdateOutcome {
        try DeltaUpdate(doc(diff)).applied(to: doc(before))
    }

    @Test(arguments: [
        // Delete, update in place, insert behind.
        (#"{"f1":1,"foo":2,"f2":3}"#, #"{"d":{"foo":false}}"#, #"{"f1":1,"f2":3}"#),
        (#"{"f1":1,"f2":3}"#, #"{"d":{"foo":false}}"#, #"{"f1":1,"f2":3}"#),
        (#"{"a":1,"b":2}"#, #"{"u":{"a":9}}"#, #"{"a":9,"b":2}"#),
        (#"{"a":1}"#, #"{"u":{"b":2}}"#, #"{"a":1,"b":2}"#),
        (#"{"a":1}"#, #"{"i":{"b":2,"c":3}}"#, #"{"a":1,"b":2,"c":3}"#),
        // An insert of what exists moves it behind the others.
        (#"{"a":1,"b":2}"#, #"{"i":{"a":9}}"#, #"{"b":2,"a":9}"#),
        // Names with dots, dollars and digits are names.
        (
            #"{"a.b":1,"0":2,"$x":3}"#, #"{"u":{"a.b":7,"$x":8},"i":{"1":4}}"#,
            #"{"a.b":7,"0":2,"$x":8,"1":4}"#
        ),
        // Inside.
        (
            #"{"o":{"x":1,"y":2},"z":0}"#, #"{"so":{"d":{"x":false},"i":{"w":5}}}"#,
            #"{"o":{"y":2,"w":5},"z":0}"#
        ),
        (#"{"s":{"s":{"s":1}}}"#, #"{"ss":{"ss":{"u":{"s":2}}}}"#, #"{"s":{"s":{"s":2}}}"#),
        // Arrays: change, shorten, lengthen with null, inside.
        (#"{"a":[1,2,3]}"#, #"{"sa":{"a":true,"u1":9}}"#, #"{"a":[1,9,3]}"#),
        (#"{"a":[1,2,3]}"#, #"{"sa":{"a":true,"l":1}}"#, #"{"a":[1]}"#),
        (#"{"a":[1]}"#, #"{"sa":{"a":true,"l":4,"u3":7}}"#, #"{"a":[1,null,null,7]}"#),
        (#"{"a":[1]}"#, #"{"sa":{"a":true,"u2":7}}"#, #"{"a":[1,null,7]}"#),
        (
            #"{"a":[{"k":1},[1,2]]}"#,
            #"{"sa":{"a":true,"s0":{"u":{"k":2}},"s1":{"a":true,"l":1}}}"#,
            #"{"a":[{"k":2},[1]]}"#
        ),
        (#"{"a":[1,2]}"#, #"{"sa":{"a":true,"l":0}}"#, #"{"a":[]}"#),
        // A document may hold a field called a.
        (#"{"o":{"a":1}}"#, #"{"so":{"u":{"a":2}}}"#, #"{"o":{"a":2}}"#),
    ])
    func `a difference is applied as the server does`(
        _ before: String, _ diff: String, _ after: String
    ) throws {
        let result = try outcome(before, diff)
        #expect(try result.document == doc(after))
        #expect(result.misses == 0)
    }

    @Test(arguments: [
        (#"{"o":1}"#, #"{"so":{"u":{"x":1}}}"#, #"{"o":null}"#),
        (#"{"o":{"x":1}}"#, #"{"so":{"a":true,"u0":1}}"#, #"{"o":null}"#),
        (#"{"a":[1]}"#, #"{"sa":{"a":true,"s0":{"u":{"x":1}}}}"#, #"{"a":[null]}"#),
        (#"{"a":[]}"#, #"{"sa":{"a":true,"s0":{"u":{"x":1}}}}"#, #"{"a":[null]}"#),
    ])
    func `a difference of another type becomes null and is counted`(
        _ before: String, _ diff: String, _ after: String
    ) throws {
        let result = try outcome(before, diff)
        #expect(try result.document == doc(after))
        #expect(result.misses == 1)
    }

    /// `$set` and `$unset`, by which the entry came to be, take the first as well.
    @Test func `of a name that occurs twice the first is changed`() throws {
        let before = BSONDocument([("a", .int32(1)), ("b", .null), ("a", .int32(2))])
        let update = try DeltaUpdate(doc(#"{"u":{"a":9}}"#))
        #expect(
            update.applied(to: before).document
                == BSONDocument([("a", .int32(9)), ("b", .null), ("a", .int32(2))]))
        let removal = try DeltaUpdate(doc(#"{"d":{"a":false}}"#))
        #expect(
            removal.applied(to: before).document == BSONDocument([("b", .null), ("a", .int32(2))]))
    }

    @Test func `a binary difference keeps the front and puts new bytes behind`() throws {
        let before = BSONDocument([("c", .binary([1, 2, 3, 4, 5], subtype: 7))])
        let part = BSONDocument([("o", .int32(3)), ("d", .binary([9, 8, 7]))])
        let diff = BSONDocument([("b", .document(BSONDocument([("c", .document(part))])))])
        let result = try DeltaUpdate(diff).applied(to: before)
        #expect(result.document == BSONDocument([("c", .binary([1, 2, 3, 9, 8, 7], subtype: 7))]))
        #expect(result.misses == 0)
    }

    @Test(arguments: [
        #"{"x":{"a":1}}"#, #"{"u":1}"#, #"{"u":{"a":1},"d":{"a":false}}"#,
        #"{"sa":{"a":true,"u2":1,"u1":1}}"#, #"{"sa":{"a":true,"l":-1}}"#,
        #"{"sa":{"a":true,"q1":1}}"#, #"{"sa":{"a":true,"l":1,"u1":1}}"#, #"{"b":{"a":{"o":1}}}"#,
    ])
    func `a difference that nobody knows is refused`(_ diff: String) throws {
        let document = try doc(diff)
        #expect(throws: BSONFailure.self) { _ = try DeltaUpdate(document) }
    }

    @Test(arguments: 0..<200)
    func `the difference of two documents, applied to the first, gives the second`(
        _ seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        let before = randomDocument(&random, depth: 3)
        let after = mutated(before, &random, depth: 3)
        let diff = difference(before, after)
        let result = try DeltaUpdate(diff).applied(to: before)
        #expect(result.document == after, "seed \(seed)")
        #expect(result.misses == 0)
    }

    // MARK: random documents, and a difference by an independent rule

    private func randomValue(_ random: inout SeededRandom, depth: Int) -> BSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
        case 0: return .int32(Int32.random(in: 0..<9, using: &random))
        case 1: return .string(String(Int.random(in: 0..<99, using: &random)))
        case 2: return .null
        case 3: return .bool(Bool.random(using: &random))
        case 4: return .double(Double(Int.random(in: 0..<9, using: &random)) / 2)
        case 5:
            return .array(
                (0..<Int.random(in: 0..<5, using: &random)).map { _ in
                    randomValue(&random, depth: depth - 1)
                })
        default: return .document(randomDocument(&random, depth: depth - 1))
        }
    }

    private func randomDocument(_ random: inout SeededRandom, depth: Int) -> BSONDocument {
        var names = Set<String>()
        let all = ["a", "b", "s", "i", "u", "d", "l", "0", "1", "x.y", "$z", ""]
        for _ in 0..<Int.random(in: 0..<6, using: &random) {
            names.insert(all.randomElement(using: &random)!)
        }
        return BSONDocument(names.sorted().map { ($0, randomValue(&random, depth: depth)) })
    }

    private func mutated(
        _ document: BSONDocument, _ random: inout SeededRandom, depth: Int
    ) -> BSONDocument {
        var pairs: [(String, BSONValue)] = []
        for field in document.fields {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: continue
            case 1: pairs.append((field.name, mutated(field.value, &random, depth: depth)))
            default: pairs.append((field.name, field.value))
            }
        }
        let known = Set(document.fields.map(\.name))
        for name in ["n1", "n2"] where !known.contains(name) && Bool.random(using: &random) {
            pairs.append((name, randomValue(&random, depth: 1)))
        }
        return BSONDocument(pairs)
    }

    private func mutated(
        _ value: BSONValue, _ random: inout SeededRandom, depth: Int
    ) -> BSONValue {
        if let inner = value.document {
            return .document(mutated(inner, &random, depth: depth - 1))
        }
        guard let elements = value.elements else { return randomValue(&random, depth: 1) }
        var changed = elements.map { element in
            Bool.random(using: &random) ? element : mutated(element, &random, depth: depth - 1)
        }
        let length = Int.random(in: 0..<7, using: &random)
        changed = Array(changed.prefix(length))
        while changed.count < length { changed.append(randomValue(&random, depth: 1)) }
        return .array(changed)
    }

    /// Deletes, updates of what stays, inserts of what is new; documents and arrays from inside.
    private func difference(_ before: BSONDocument, _ after: BSONDocument) -> BSONDocument {
        var deletes: [(String, BSONValue)] = []
        var updates: [(String, BSONValue)] = []
        var inserts: [(String, BSONValue)] = []
        var subs: [(String, BSONValue)] = []
        for field in before.fields {
            guard let new = after[field.name] else {
                deletes.append((field.name, .bool(false)))
                continue
            }
            if new == field.value { continue }
            if let sub = sub(field.value, new) {
                subs.append(("s" + field.name, .document(sub)))
            } else {
                updates.append((field.name, new))
            }
        }
        for field in after.fields where before[field.name] == nil {
            inserts.append((field.name, field.value))
        }
        var sections: [(String, BSONValue)] = []
        for (name, content) in [("d", deletes), ("u", updates), ("i", inserts)]
        where !content.isEmpty {
            sections.append((name, .document(BSONDocument(content))))
        }
        return BSONDocument(sections + subs)
    }

    private func sub(_ old: BSONValue, _ new: BSONValue) -> BSONDocument? {
        if let a = old.document, let b = new.document { return difference(a, b) }
        guard let a = old.elements, let b = new.elements else { return nil }
        var fields: [(String, BSONValue)] = [("a", .bool(true))]
        if a.count != b.count { fields.append(("l", .int32(Int32(b.count)))) }
        for (place, value) in b.enumerated() where place >= a.count || a[place] != value {
            if place < a.count, let inner = sub(a[place], value) {
                fields.append(("s\(place)", .document(inner)))
            } else {
                fields.append(("u\(place)", value))
            }
        }
        return BSONDocument(fields)
    }
}
