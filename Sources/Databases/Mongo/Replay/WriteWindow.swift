/// The writes to one collection that have not reached the target: of each document only what
/// becomes of it in the end.
///
/// The server takes 1, 1.0 and 1L for the same `_id`, and a collation may take "a" and "A" for the
/// same. Numbers therefore share one key here; for all else it is enough that deletes go to the
/// target before puts: no history has two such documents at once.
struct WriteWindow {
    enum Fate: Sendable {
        /// Put as it is. `mustExist`: it was an update of what the window had not seen.
        case document(BSONDocument, mustExist: Bool)
        case deleted(mustExist: Bool)
        /// The target can do it by itself.
        case direct(DirectUpdate)
        /// `forms`, in order, to be applied to what the target has.
        case changed
    }

    struct Slot: Sendable {
        var id: BSONValue
        var fate: Fate
        var rank: Int
        /// Of `changed`.
        var forms: [UpdateForm] = []
    }

    private(set) var slots: [BSONValue: Slot] = [:]
    /// About, of everything held.
    private(set) var bytes = 0
    /// Updates that could not be applied in full to a document of the window.
    private(set) var misses = 0
    /// Whether the target changes documents of this collection by itself as our own code would.
    private let takesDirect: Bool
    /// The next one's place in the order of writing.
    private var ranks = 0

    init(takesDirect: Bool = false) { self.takesDirect = takesDirect }

    var isEmpty: Bool { slots.isEmpty }

    mutating func insert(_ id: BSONValue, _ document: BSONDocument) {
        // A capped collection may have lost the older one of this `_id`: the new one lies last.
        slots[Self.key(id)]?.rank = ranks
        set(id, .document(document, mustExist: false), document.bytes.count)
    }

    mutating func delete(_ id: BSONValue) {
        switch slots[Self.key(id)]?.fate {
        case nil, .changed, .direct: set(id, .deleted(mustExist: true), 32)
        case .document(_, let mustExist): set(id, .deleted(mustExist: mustExist), 32)
        case .deleted:
            misses += 1
        }
    }

    /// - Parameter size: bytes of the update, about.
    mutating func update(_ id: BSONValue, _ form: UpdateForm, size: Int = 0) {
        let size = 256 + size
        let key = Self.key(id)
        switch (form, slots[key]?.fate) {
        case (.replacement(let document), .document(_, let mustExist)):
            set(id, .document(document, mustExist: mustExist), document.bytes.count)
        case (.replacement(let document), nil), (.replacement(let document), .direct),
            (.replacement(let document), .changed):
            set(id, .document(document, mustExist: true), document.bytes.count)
        case (_, .deleted): misses += 1
        case (_, .document(let old, let mustExist)):
            let outcome = form.applied(to: old)
            misses += outcome.misses
            set(
                id, .document(outcome.document, mustExist: mustExist),
                outcome.document.bytes.count)
        case (_, .direct(let update)):
            let both = update.followed(by: form)
            set(id, both.map { .direct($0) } ?? .changed, size)
            if both == nil { slots[key]?.forms = [update.form, form] }
        case (_, nil):
            let isPlain = takesDirect && DirectUpdate.isPlainID(id)
            let update = isPlain ? DirectUpdate(form) : nil
            set(id, update.map { .direct($0) } ?? .changed, size)
            if update == nil { slots[key]?.forms = [form] }
        case (_, .changed):
            // In place: what grows is not copied.
            slots[key]?.forms.append(form)
            bytes += size
        }
    }

    private mutating func set(_ id: BSONValue, _ fate: Fate, _ size: Int) {
        let key = Self.key(id)
        bytes += size
        slots[key] = Slot(id: id, fate: fate, rank: slots[key]?.rank ?? ranks)
        ranks += 1
    }

    /// What the target must tell before the window can be written.
    var wanted: [BSONValue] {
        slots.values.filter { if case .changed = $0.fate { true } else { false } }
            .map(\.id).sorted(byKey: IndexOrder.key)
    }

    /// The writes, and how many updates met no document or not the one they were made for.
    func batch(_ found: [BSONDocument]) -> (batch: WriteBatch, misses: Int) {
        var known: [BSONValue: BSONDocument] = [:]
        for document in found {
            if let id = document["_id"] { known[Self.key(id)] = document }
        }
        var batch = WriteBatch()
        var misses = misses
        var others: [(BSONValue, Slot)] = []
        for (key, slot) in slots {
            if case .direct(let update) = slot.fate {
                batch.changes.append(.init(id: slot.id, update: update))
            } else {
                others.append((key, slot))
            }
        }
        batch.changes = batch.changes.sorted(byKey: { IndexOrder.key($0.id) })
        for (key, slot) in others.sorted(by: { $0.1.rank < $1.1.rank }) {
            switch slot.fate {
            case .document(let document, let mustExist):
                batch.puts.append(
                    .init(
                        id: slot.id, document: document, mustExist: mustExist, isNew: !mustExist))
            case .deleted(let mustExist):
                batch.deletions.append(.init(id: slot.id, mustExist: mustExist))
            case .direct: continue
            case .changed:
                guard var document = known[key] else {
                    misses += 1
                    continue
                }
                for form in slot.forms {
                    let outcome = form.applied(to: document)
                    document = outcome.document
                    misses += outcome.misses
                }
                // It was there a moment ago, so that it hides no other that is not.
                batch.puts.append(
                    .init(id: slot.id, document: document, mustExist: true, isNew: false))
            }
        }
        return (batch, misses)
    }

    /// Whole numbers of every type have one key.
    static func key(_ id: BSONValue) -> BSONValue {
        id.integer.map { .int64($0) } ?? id
    }
}

extension UpdateForm {
    func applied(to document: BSONDocument) -> UpdateOutcome {
        switch self {
        case .replacement(let new): UpdateOutcome(document: new, misses: 0)
        case .modifiers(let update): update.applied(to: document)
        case .delta(let update): update.applied(to: document)
        case .described(let update): update.applied(to: document)
        }
    }
}
