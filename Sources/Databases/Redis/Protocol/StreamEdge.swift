/// A place where the stream may be cut: between commands, outside a transaction.
package struct StreamEdge: Sendable, Hashable {
    /// Bytes of the history before the cut; what INFO calls `master_repl_offset`.
    package var position: UInt64
    /// Selected there; `CommandSplitter.unknownDatabase` when no SELECT was seen yet.
    package var database: Int

    package init(position: UInt64, database: Int = CommandSplitter.unknownDatabase) {
        self.position = position
        self.database = database
    }

    /// As the archive keeps it with a segment: the database's number, empty when it is not known.
    package var state: String { database < 0 ? "" : String(database) }
}
