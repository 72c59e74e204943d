import Mongo

/// The documents of one collection while a command changes them: in natural order, with `_id` as
/// the only key (other unique indexes are kept as definitions and not enforced). A capped
/// collection drops its oldest when it is full.
struct MongoDoubleDocuments {
    private var stored: MongoDoubleState.Stored
    private var slots: [BSONDocument?]
    private var places: [BSONValue: Int] = [:]
    private var bytes = 0
    private var count = 0
    /// Nothing lies before it.
    private var first = 0

    init(_ stored: MongoDoubleState.Stored) {
        self.stored = stored
        self.stored.documents = []
        slots = stored.documents
        for (place, document) in stored.documents.enumerated() {
            places[Self.key(document)] = place
            bytes += document.bytes.count
            count += 1
        }
    }

    /// As it is kept.
    var finished: MongoDoubleState.Stored {
        var stored = stored
        stored.documents = slots.compactMap { $0 }
        return stored
    }

    var isCapped: Bool { stored.options["capped"]?.isTrue == true }
    var hasValidator: Bool { stored.options["validator"]?.document?.isEmpty == false }
    var isOfBuckets: Bool { stored.options["timeseries"] != nil }
    var takesMixedBuckets: Bool { stored.takesMixedBuckets }

    subscript(_ place: Int) -> BSONDocument? { slots[place] }

    /// Places of the documents that are asked for, oldest first.
    func places(_ filter: MongoDoubleFilter) -> [Int] {
        if let ids = filter.ids {
            return ids.compactMap { places[$0] }.sorted().filter { place in
                slots[place].map(filter.matches) == true
            }
        }
        return slots.indices.filter { slots[$0].map(filter.matches) == true }
    }

    /// False when its `_id` is there already.
    mutating func insert(_ document: BSONDocument) -> Bool {
        guard places[Self.key(document)] == nil else { return false }
        places[Self.key(document)] = slots.count
        slots.append(document)
        bytes += document.bytes.count
        count += 1
        if isCapped { dropOldest() }
        return true
    }

    private mutating func dropOldest() {
        let most = stored.options["max"]?.integer.map { Int($0) } ?? .max
        let size = stored.options["size"]?.integer.map { Int($0) } ?? .max
        while count > most || bytes > size, first < slots.count {
            if slots[first] != nil { remove(first) }
            first += 1
        }
    }

    mutating func replace(_ place: Int, with document: BSONDocument) {
        bytes += document.bytes.count - (slots[place]?.bytes.count ?? 0)
        slots[place] = document
    }

    mutating func remove(_ place: Int) {
        guard let document = slots[place] else { return }
        slots[place] = nil
        places[Self.key(document)] = nil
        bytes -= document.bytes.count
        count -= 1
    }

    private static func key(_ document: BSONDocument) -> BSONValue {
        MongoDoubleFilter.key(document["_id"] ?? .null)
    }
}
