import Mongo
import Platform

/// What a `find` on a collection asks for, as far as base backups ask.
struct MongoDoubleQuestion {
    private let request: BSONDocument
    private let ignoresBounds: Bool

    init(_ request: BSONDocument, ignoresBounds: Bool) {
        self.request = request
        self.ignoresBounds = ignoresBounds
    }

    func answer(_ all: [BSONDocument]) -> [BSONDocument] {
        var documents = all
        if let filter = request["filter"]?.document.flatMap({ MongoDoubleFilter($0) }) {
            documents = documents.filter(filter.matches)
        }
        if let order = request["sort"]?.document?["_id"]?.integer {
            documents.sort { a, b in
                guard let a = a["_id"], let b = b["_id"] else { return false }
                return order > 0 ? BSONOrder.precedes(a, b) : BSONOrder.precedes(b, a)
            }
        }
        if !ignoresBounds { documents = documents.filter(isWithin) }
        documents = Array(documents.dropFirst(Int(request["skip"]?.integer ?? 0)))
        guard let limit = request["limit"]?.integer else { return documents }
        return Array(documents.prefix(Int(limit)))
    }

    /// With the lower bound, without the upper one, which is MaxKey where only the other is given.
    private func isWithin(_ document: BSONDocument) -> Bool {
        guard let id = document["_id"] else { return true }
        let first = request["min"]?.document?["_id"]
        let end = request["max"]?.document?["_id"]
        if let first, BSONOrder.precedes(id, first) { return false }
        if let end { return BSONOrder.precedes(id, end) }
        return first == nil || id.type != .maxKey
    }
}

extension MongoDoubleAnswers {
    /// A change stream, or the pipeline `$sample`, `$project`, `$sort` by `_id`, which draws at
    /// even distances.
    func aggregate(_ database: String, _ request: BSONDocument) -> BSONDocument {
        let place = Namespace(database, request["aggregate"]?.string ?? "")
        let first = request["pipeline"]?.elements?.first?.document
        if let wanted = first?["$collStats"]?.document { return collStats(place, wanted) }
        guard let wanted = first?["$sample"]?.document?["size"]?.integer else {
            return changes(request)
        }
        let all = state.read { $0.collections[place]?.documents ?? [] }
        let step = max(1, all.count / max(1, Int(wanted)))
        let drawn = stride(from: 0, to: all.count, by: step).compactMap { all[$0]["_id"] }
            .sorted(by: BSONOrder.precedes)
        return batch(
            drawn.map { BSONDocument([("_id", $0)]) }, place.description, id: 0)
    }
}
