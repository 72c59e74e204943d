import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Restores into the double that are cut off at a command and given again, beside one that was not.
struct DoubleCutOff {
    /// Commands that change something, as many as an undisturbed restore sends.
    let steps: Int
    private let restore: CopyRun
    private let version: String
    private let whole: [String]

    private static let changing = [
        "insert", "update", "delete", "create", "drop", "collMod", "createIndexes",
        "renameCollection", "dropDatabase",
    ]

    init(_ restore: CopyRun, version: String) throws {
        self.restore = restore
        self.version = version
        let use = try DoubleUse(version: version)
        try restore.run(server: use.double.url)
        steps = use.double.state.read { Self.count($0) }
        whole = Self.content(use)
    }

    private static func count(_ state: MongoDoubleState) -> Int {
        changing.reduce(0) { $0 + (state.commands[$1] ?? 0) }
    }

    /// The command of this number is refused, as by a server that goes down. False where the
    /// restore went on by itself: the first writes only find out what the server can do.
    func run(at step: Int) throws -> Bool {
        let target = try DoubleUse(version: version)
        target.double.state.update { state in
            // With sessions the driver would send the refused command once more by itself.
            state.contact.sessionMinutes = nil
            for name in Self.changing {
                state.meanwhile[name] = { state, _ in
                    state.failures[name] =
                        Self.count(state) == step
                        ? .init(11600, "InterruptedAtShutdown", "interrupted at shutdown") : nil
                }
            }
        }
        var isInterrupted = false
        do {
            try restore.run(server: target.double.url)
        } catch {
            isInterrupted = true
            try restore.run(server: target.double.url)
        }
        #expect(Self.content(target) == whole, "cut off at command \(step) of \(steps)")
        // The busier the machine, the more goes with one command: there may be fewer.
        return isInterrupted || target.double.state.read { Self.count($0) } < step
    }

    /// What each collection is and has, but for UUIDs; documents of collections that are not capped
    /// by `_id`, since nothing keeps their order.
    private static func content(_ use: DoubleUse) -> [String] {
        let all = use.double.state.read { $0.collections }
        return all.sorted { $0.key < $1.key }.map { namespace, stored in
            var documents = stored.documents
            if stored.options["capped"]?.isTrue != true {
                documents.sort { BSONOrder.precedes($0["_id"] ?? .null, $1["_id"] ?? .null) }
            }
            let indexes = stored.indexes.map { $0.text() }.sorted()
            return "\(namespace) \(stored.type) \(stored.options.text()) \(indexes) "
                + documents.map { "\($0.bytes)" }.joined(separator: " ")
        }
    }
}
