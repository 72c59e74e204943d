import Model
import TestKit

@testable import Mongo

/// Documents and entries that no server would have written in this order: updates of fields that
/// are not there, inserts of what exists, changes of what is gone. What meets them is any document.
struct RandomUpdates {
    static let place = Namespace("shop", "orders")
    private static let ids: Int32 = 24
    private static let names = ["a", "b", "B", "aa", "c", "é", "0", "10", "9", "x_1", "_k"]

    private var random: SeededRandom
    private var time: UInt32 = 0

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    private mutating func id() -> BSONValue {
        let number = Int32.random(in: 0..<Self.ids, using: &random)
        switch number % 4 {
        case 0: return .string("key \(number)")
        case 1: return .objectID([UInt8](repeating: UInt8(number), count: 12))
        case 2: return .document(BSONDocument([("k", .int32(number))]))
        // Equal numbers of different types are one `_id`.
        default: return Bool.random(using: &random) ? .int32(number) : .int64(Int64(number))
        }
    }

    private mutating func name() -> String { Self.names.randomElement(using: &random)! }

    private mutating func value(_ depth: Int = 2) -> BSONValue {
        switch number(0..<(depth > 0 ? 18 : 13)) {
        case 0: return .int32(Int32(number(0..<3)))
        case 1: return .int64(Int64(number(0..<3)))
        case 2: return .double([0, -0.0, 1, .nan, 2].randomElement(using: &random)!)
        case 3: return .string(["", "x", "longer text than before"].randomElement(using: &random)!)
        case 4: return .bool(Bool.random(using: &random))
        case 5: return .null
        case 6: return .date(milliseconds: Int64(number(-9..<9)))
        case 7: return .binary([1, 2], subtype: UInt8(number(0..<2)) * 5)
        case 8: return BSONValue(.decimal, ArraySlice((0..<16).map { UInt8($0) }))
        case 9: return .timestamp(OpTime(ordinal: UInt64(number(1..<5))))
        case 10: return BSONValue(.regex, [97, 0, 109, 105, 0])
        case 11: return BSONValue(.undefined, [])
        case 12: return BSONValue(.symbol, [2, 0, 0, 0, 120, 0])
        case 13, 14: return .array((0..<number(0..<4)).map { _ in value(depth - 1) })
        default: return .document(BSONDocument(fields(depth - 1)))
        }
    }

    private mutating func fields(_ depth: Int, _ most: Int = 4) -> [(String, BSONValue)] {
        var fields: [String: BSONValue] = [:]
        for _ in 0..<number(0..<most) { fields[name()] = value(depth) }
        // In any order.
        return fields.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }.shuffled(using: &random)
    }

    mutating func document(_ id: BSONValue? = nil) -> BSONDocument {
        var all = fields(2, 8)
        // A name may occur twice.
        if number(0..<4) == 0, let first = all.first { all.append((first.0, value())) }
        // The server would put its own time there.
        if number(0..<6) == 0 { all.append(("z", .timestamp(.zero))) }
        let key = id ?? self.id()
        return BSONDocument([("_id", key)] + all)
    }

    // MARK: updates

    mutating func update() -> BSONDocument {
        switch number(0..<6) {
        case 0...3: return modifiers()
        default: return delta()
        }
    }

    private mutating func modifiers() -> BSONDocument {
        var paths = Set<String>()
        for _ in 0..<number(1..<4) {
            let path = number(0..<8) == 0 ? name() + "." + name() : name()
            let head = path.split(separator: ".")[0]
            // No server writes two edits of which one holds the other.
            guard !paths.contains(where: { $0.split(separator: ".")[0] == head }) else { continue }
            paths.insert(path)
        }
        if number(0..<12) == 0 { paths.insert("z") }
        var sets: [(String, BSONValue)] = []
        var unsets: [(String, BSONValue)] = []
        for path in paths.sorted().shuffled(using: &random) {
            if path == "z" {
                sets.append((path, .timestamp(.zero)))
            } else if number(0..<4) == 0 {
                unsets.append((path, .bool(true)))
            } else {
                sets.append((path, value()))
            }
        }
        var all: [(String, BSONValue)] = [("$v", .int32(1))]
        if !sets.isEmpty { all.append(("$set", .document(BSONDocument(sets)))) }
        if !unsets.isEmpty { all.append(("$unset", .document(BSONDocument(unsets)))) }
        return BSONDocument(all)
    }

    private mutating func delta() -> BSONDocument {
        var sections: [String: [(String, BSONValue)]] = [:]
        var subs: [(String, BSONValue)] = []
        for name in Self.names.shuffled(using: &random).prefix(number(1..<4)) {
            switch number(0..<9) {
            case 0, 1: sections["d", default: []].append((name, .bool(false)))
            case 2: sections["i", default: []].append((name, value()))
            case 3:
                let inner = BSONDocument([("u", .document(BSONDocument([("a", value())])))])
                subs.append(("s" + name, .document(inner)))
            default: sections["u", default: []].append((name, value()))
            }
        }
        let parts = ["d", "u", "i"].compactMap { letter in
            sections[letter].map { (letter, BSONValue.document(BSONDocument($0))) }
        }
        return BSONDocument([
            ("$v", .int32(2)), ("diff", .document(BSONDocument(parts + subs))),
        ])
    }

    // MARK: entries

    mutating func entry() -> [UInt8] {
        let id = id()
        let key = BSONDocument([("_id", id)])
        switch number(0..<20) {
        case 0: return entry("i", document(id), nil)
        case 1: return entry("d", key, nil)
        case 2: return entry("u", document(id), key)
        default: return entry("u", update(), key)
        }
    }

    private mutating func entry(
        _ op: String, _ content: BSONDocument, _ key: BSONDocument?
    ) -> [UInt8] {
        time += 1
        var all: [(String, BSONValue)] = [
            ("op", .string(op)), ("ns", .string(Self.place.description)),
            ("o", .document(content)),
        ]
        if let key { all.append(("o2", .document(key))) }
        return BSONDocument(
            all + [("ts", .timestamp(Self.time(time))), ("t", .int64(1)), ("v", .int64(2))]
        ).bytes
    }

    static func time(_ number: UInt32) -> OpTime { OpTime(seconds: 2000, increment: number) }
}
