import Model
import Platform

/// A collection of the base backup on its way into a server: told to be whole, to whoever goes on
/// after an interruption, once every batch of it has arrived.
final class LoadedFile: Sendable {
    let name: String
    let namespace: Namespace
    /// A capped collection.
    let keepsOrder: Bool

    private struct State {
        var pending = 0
        var isClosed = false
    }

    private let state = Monitor(State())

    init(_ name: String, _ namespace: Namespace, keepsOrder: Bool) {
        self.name = name
        self.namespace = namespace
        self.keepsOrder = keepsOrder
    }

    func begin() { state.update { $0.pending += 1 } }

    /// A batch has arrived.
    func end(_ connection: Connection) throws(TidemarkError) {
        let isWhole = state.update { state in
            state.pending -= 1
            return state.isClosed && state.pending == 0
        }
        if isWhole { try RestoreProgress.finish(name, connection) }
    }

    /// No batch follows.
    func close(_ connection: Connection) throws(TidemarkError) {
        let isWhole = state.update { state in
            state.isClosed = true
            return state.pending == 0
        }
        if isWhole { try RestoreProgress.finish(name, connection) }
    }

    /// Looks at the structure of every document: a server would take what is torn for something
    /// else, or refuse it with words about the command.
    func check(_ documents: [UInt8], count: Int) throws(TidemarkError) {
        var place = 0
        do throws(BSONFailure) {
            for _ in 0..<count { place = try BSONCheck.document(documents.span, at: place) }
            guard place == documents.count else {
                throw BSONFailure("something follows a document", at: place)
            }
        } catch {
            throw error.error(
                .archiveDamaged, in: "a document of \(namespace) in the base backup",
                remedy: "run `tidemark verify --deep`, and bring \(name) back from a copy of the "
                    + "archive, or restore from another base backup")
        }
    }
}
