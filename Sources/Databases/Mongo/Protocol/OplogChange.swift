/// What one entry, one operation inside `applyOps`, or one event of a change stream does.
package enum OplogChange: Hashable, Sendable {
    case insert(Target, BSONDocument)
    /// `key` is `o2`: `_id` and, of sharded collections, the shard key.
    case update(Target, key: BSONDocument, UpdateForm)
    case delete(Target, key: BSONDocument)
    case command(Target, OplogCommand)
    /// Periodic no-ops, notes, images of findAndModify: carries time, changes nothing.
    case noop(BSONDocument)
    /// Index and container bookkeeping of newer servers (`xi xd ci cd cu km`): not replayed.
    case bookkeeping(String)
    /// An `op` that nobody knows: a restore stops here.
    case unknown(String)

    /// The collection an operation is about.
    package struct Target: Hashable, Sendable {
        /// As the entry has it; of commands `database.$cmd`.
        package var namespace: Namespace
        /// Names the collection through renames; nil where the entry has none.
        package var uuid: CollectionUUID?
    }

    /// Reads `op`, `ns`, `ui`, `o` and `o2`, which operations inside `applyOps` have as well.
    init(_ document: BSONDocument) throws(BSONFailure) {
        guard let op = document["op"]?.string else {
            if document["operationType"] != nil {
                self = try ChangeEvent.change(document)
                return
            }
            throw BSONFailure("an entry has no op", at: 0)
        }
        let content = document["o"]?.document ?? .empty
        switch op {
        case "n": self = .noop(content)
        case "xi", "xd", "ci", "cd", "cu", "km": self = .bookkeeping(op)
        case "i": self = .insert(try Self.target(document), content)
        case "d": self = .delete(try Self.target(document), key: content)
        case "u":
            if let version = content["$v"]?.integer, version > 2, content["_id"] == nil {
                self = .unknown("u of version \(version)")
                return
            }
            guard let key = document["o2"]?.document else {
                throw BSONFailure("an update has no o2", at: 0)
            }
            self = .update(try Self.target(document), key: key, try UpdateForm(content))
        case "c":
            let more = document["o2"]?.document
            self = .command(try Self.target(document), OplogCommand(content, more))
        default: self = .unknown(op)
        }
    }

    private static func target(_ document: BSONDocument) throws(BSONFailure) -> Target {
        guard let namespace = document["ns"]?.string.flatMap({ Namespace($0) }) else {
            throw BSONFailure("an entry has no ns", at: 0)
        }
        return Target(namespace: namespace, uuid: document["ui"]?.uuid)
    }
}

/// How an update is written down.
package enum UpdateForm: Hashable, Sendable {
    /// The whole new document.
    case replacement(BSONDocument)
    /// `{$v: 1, $set, $unset}`: up to 5.0.
    case modifiers(ModifierUpdate)
    /// `{$v: 2, diff}`: from 5.0 on.
    case delta(DeltaUpdate)
    /// `updateDescription`: of a change stream.
    case described(DescribedUpdate)

    init(_ content: BSONDocument) throws(BSONFailure) {
        let version = content["$v"]?.integer
        if version == 2 {
            guard let diff = content["diff"]?.document else {
                throw BSONFailure("an update of version 2 has no diff", at: 0)
            }
            self = .delta(try DeltaUpdate(diff))
        } else if version == 1 || content.firstName?.begins(with: "$") == true {
            // 4.2 and before leave `$v` out when it is 1.
            self = .modifiers(try ModifierUpdate(content))
        } else if let version, content["_id"] == nil {
            throw BSONFailure("updates of version \(version) are not known", at: 0)
        } else {
            self = .replacement(content)
        }
    }
}
