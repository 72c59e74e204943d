import Model

/// Who reads which part of a base backup, and what waits to be handed on. Pure.
///
/// Parts are begun in their order and handed on in it; what is read ahead is bounded in bytes and
/// in parts. The part that is handed on now always has room for one piece, so nobody waits for
/// something that cannot come.
struct ReadSchedule: Sendable {
    enum Piece: Hashable, Sendable {
        case documents([UInt8])
        /// The part has ended; the next one follows.
        case end
    }

    private let count: Int
    private let byteLimit: Int
    private let partLimit: Int
    private var begun = 0
    /// The part that is handed on now.
    private(set) var front = 0
    private var waiting: [Int: [[UInt8]]] = [:]
    private var ended: Set<Int> = []
    private(set) var bytes = 0
    private(set) var failure: TidemarkError?
    private(set) var isStopped = false

    /// - Parameters:
    ///   - byteLimit: of what waits.
    ///   - partLimit: parts that are begun and not handed on.
    init(parts count: Int, byteLimit: Int, partLimit: Int) {
        self.count = count
        self.byteLimit = byteLimit
        self.partLimit = partLimit
    }

    // MARK: readers

    enum Work: Hashable, Sendable { case part(Int), nothing }

    /// The next part to read; nil when there is no room for one yet.
    mutating func begin() -> Work? {
        if isStopped || failure != nil || begun == count { return .nothing }
        guard begun < front + partLimit else { return nil }
        begun += 1
        return .part(begun - 1)
    }

    /// Takes documents of a part; nil while there is no room, false when no more are wanted.
    mutating func put(_ piece: [UInt8], of part: Int) -> Bool? {
        if isStopped || failure != nil { return false }
        let isAwaited = part == front && waiting[part, default: []].isEmpty
        guard isAwaited || bytes + piece.count <= byteLimit else { return nil }
        waiting[part, default: []].append(piece)
        bytes += piece.count
        return true
    }

    mutating func end(_ part: Int) { ended.insert(part) }

    mutating func fail(_ error: TidemarkError) { failure = failure ?? error }

    mutating func stop() { isStopped = true }

    // MARK: whoever hands on

    /// The next piece in order; nil while it has not come.
    ///
    /// - Precondition: a part is left.
    mutating func take() -> Piece? {
        precondition(front < count, "whoever hands on knows how many parts there are")
        if var pieces = waiting[front], !pieces.isEmpty {
            let piece = pieces.removeFirst()
            waiting[front] = pieces
            bytes -= piece.count
            return .documents(piece)
        }
        guard ended.remove(front) != nil else { return nil }
        waiting[front] = nil
        front += 1
        return .end
    }
}
