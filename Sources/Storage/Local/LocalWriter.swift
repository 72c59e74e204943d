import Model

/// Writes a large object of a local repository.
final class LocalWriter: ObjectWriter {
    private let draft: LocalDraft

    init(_ draft: LocalDraft) { self.draft = draft }

    func write(_ bytes: [UInt8]) throws(TidemarkError) { try unsafe draft.write(bytes.span.bytes) }

    func finish() throws(TidemarkError) { try draft.publish(replacing: true) }

    func abort() { draft.abandon() }
}
