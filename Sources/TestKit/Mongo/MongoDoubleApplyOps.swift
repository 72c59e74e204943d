import Mongo
import Platform

// `applyOps`, as far as it is the same everywhere or a version's own way is known: inserts,
// deletions, and updates that replace a document or are of `$v: 1`. Up to 6.1 an update of what is
// missing makes it, from 6.2 on the command fails. This program never sends it; other tools do.
extension MongoDoubleAnswers {
    func applyOps(_ request: BSONDocument) -> BSONDocument {
        let operations = (request["applyOps"]?.elements ?? []).compactMap(\.document)
        return state.update { state in
            var results: [BSONValue] = []
            var failure: MongoDoubleState.Failure?
            for operation in operations {
                do throws(MongoDoubleState.Failure) {
                    let isDone = try MongoDoubleOperation(operation, request).run(&state)
                    results.append(.bool(isDone))
                } catch {
                    results.append(.bool(false))
                    failure = error
                    break
                }
            }
            let told: [(String, BSONValue)] = [
                ("applied", .int32(Int32(results.count))), ("results", .array(results)),
            ]
            if failure == nil, results.allSatisfy(\.isTrue) { return ok(told) }
            let refusal =
                failure ?? .init(8, "UnknownError", "applyOps had one or more errors applying ops")
            let fields = error(refusal.code, refusal.name, refusal.message).fields
            return BSONDocument(fields.map { ($0.name, $0.value) } + told)
        }
    }
}

/// One operation of an `applyOps`.
private struct MongoDoubleOperation {
    typealias Failure = MongoDoubleState.Failure

    private let operation: BSONDocument
    private let request: BSONDocument

    init(_ operation: BSONDocument, _ request: BSONDocument) {
        self.operation = operation
        self.request = request
    }

    /// False for an update that met nothing.
    func run(_ state: inout MongoDoubleState) throws(Failure) -> Bool {
        guard state.isPrimary else { throw Failure.notPrimary }
        try check(state)
        let content = operation["o"]?.document ?? .empty
        let kind = operation["op"]?.string ?? ""
        if kind == "n" { return true }
        if kind == "c" { throw refusal(of: content) }
        guard let place = operation["ns"]?.string.flatMap({ Namespace($0) }) else {
            throw Failure(73, "InvalidNamespace", "an operation names no collection")
        }
        guard state.collections[place] != nil else {
            // What is to be deleted may be gone with its collection.
            if kind == "d" { return true }
            throw Failure(26, "NamespaceNotFound", "Failed to apply operation: no \(place)")
        }
        switch kind {
        case "i":
            return try write("update", place, content, selector: content, upserts: true, &state)
        case "d": return try write("delete", place, content, selector: content, &state)
        case "u": return try update(place, content, &state)
        default: throw Failure(40_000, "BadValue", "Unknown operation type: \(kind)")
        }
    }

    private func check(_ state: MongoDoubleState) throws(Failure) {
        let isNew = state.isAtLeast(6, 2)
        if isNew, request["alwaysUpsert"]?.isTrue == true {
            throw Failure(6_711_601, "Location6711601", "alwaysUpsert: true is no longer there")
        }
        if isNew, request["preCondition"] != nil {
            throw Failure(6_711_600, "Location6711600", "preCondition is no longer there")
        }
    }

    private func update(
        _ place: Namespace, _ content: BSONDocument, _ state: inout MongoDoubleState
    ) throws(Failure) -> Bool {
        let version = content["$v"]?.integer
        if version == 2 {
            throw state.isAtLeast(5)
                ? Failure(115, "CommandNotSupported", "the double applies no deltas")
                : Failure(40_682, "Location40682", "Unrecognized value for '$v' (Version) field: 2")
        }
        let isOfModifiers = version == 1 || content.firstName?.hasPrefix("$") == true
        if isOfModifiers, state.isAtLeast(5, 1), !state.isAtLeast(8) {
            throw Failure(4_772_604, "Location4772604", "updates of $v: 1 are not supported")
        }
        let upserts = !state.isAtLeast(6, 2) && request["alwaysUpsert"].map(\.isTrue) ?? true
        return try write(
            "update", place, content.without(["$v"]), selector: operation["o2"]?.document ?? .empty,
            upserts: upserts, &state)
    }

    /// By `_id`, with validators passed over as the request says.
    private func write(
        _ kind: String, _ place: Namespace, _ content: BSONDocument, selector: BSONDocument,
        upserts: Bool = false, _ state: inout MongoDoubleState
    ) throws(Failure) -> Bool {
        let id = BSONDocument([("$eq", selector["_id"] ?? .null)])
        var statement: [(String, BSONValue)] = [
            ("q", .document(BSONDocument([("_id", .document(id))])))
        ]
        statement +=
            kind == "delete"
            ? [("limit", .int32(1))] : [("u", .document(content)), ("upsert", .bool(upserts))]
        let command = BSONDocument([
            (kind, .string(place.collection)),
            (kind + "s", .array([.document(BSONDocument(statement))])),
            (
                "bypassDocumentValidation",
                .bool(request["bypassDocumentValidation"]?.isTrue == true)
            ),
        ])
        let told = BSONDocument(try MongoDoubleWrite(place.database, command).run(&state))
        if let error = told["writeErrors"]?.elements?.first?.document {
            throw Failure(
                Int32(error["code"]?.integer ?? 0), "WriteError", error["errmsg"]?.string ?? "")
        }
        return kind == "delete" || told["n"]?.integer != 0
    }

    private static let refused: [String: (Int32, String)] = [
        "createIndexes": (115, "CommandNotSupported"),
        "startIndexBuild": (115, "CommandNotSupported"),
        "commitIndexBuild": (115, "CommandNotSupported"),
        "abortIndexBuild": (115, "CommandNotSupported"),
        "commitTransaction": (50_987, "Location50987"),
        "abortTransaction": (50_972, "Location50972"),
    ]

    private func refusal(of content: BSONDocument) -> Failure {
        let name = content.firstName ?? ""
        if content["partialTxn"]?.isTrue == true {
            return Failure(31_056, "Location31056", "applyOps with 'partialTxn' is not supported")
        }
        if content["prepare"]?.isTrue == true {
            return Failure(51_145, "Location51145", "applyOps with 'prepare' is not supported")
        }
        if name == "applyOps", content["count"] != nil {
            return Failure(31_240, "Location31240", "applyOps with 'count' is not supported")
        }
        let told = Self.refused[name]
        return Failure(
            told?.0 ?? 115, told?.1 ?? "CommandNotSupported",
            "\(name) is not supported in applyOps" + (told == nil ? " by the double" : ""))
    }
}
