/// A collection of the base backup, or a stretch of one, that one reader reads.
struct ReadPart: Hashable, Sendable {
    let collection: DumpedCollection
    let order: ReadOrder
    /// Whether it can be read as of a moment.
    let canBeExact: Bool
}

/// How far the reading of a part has come: what is asked next after a cursor was lost. Pure.
struct ReadPlace: Hashable, Sendable {
    private(set) var order: ReadOrder
    /// Documents that lie in front of what is asked and have been read.
    private(set) var skip: Int64 = 0
    /// The first document that comes may be the last of those read.
    private(set) var known: BSONValue?
    private var count: Int64 = 0
    private var last: BSONValue?

    init(_ order: ReadOrder) { self.order = order }

    /// Whether the one document that bounds leave out is to be asked for at the end.
    var omitsGreatest: Bool {
        guard case .byID(let range) = order else { return false }
        return range.omitsGreatest && !isAtGreatest
    }

    /// Nothing lies behind it, and no bound may be it.
    var isAtGreatest: Bool { last?.type == .maxKey }

    /// So many more have come, `id` the last of them.
    mutating func pass(_ documents: Int, last id: BSONValue?) {
        count += Int64(documents)
        last = id ?? last
    }

    /// Goes on behind what has come.
    ///
    /// As they lie, documents are told apart only as of one moment. Else all are read again: those
    /// that come twice are of two moments of a time that the replay passes through anyway, and a
    /// restore takes the first of each.
    ///
    /// - Parameter isExact: they are read as of a moment, and were so far.
    mutating func goOn(isExact: Bool) {
        switch order {
        case .natural: skip = isExact ? count : 0
        case .byID(let range):
            guard let last else { return }
            order = .byID(IDRange(first: last, end: range.end))
            known = last
        }
    }
}
