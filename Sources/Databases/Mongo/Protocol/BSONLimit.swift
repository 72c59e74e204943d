/// What is believed of BSON, whoever wrote it.
package enum BSONLimit {
    /// Longest document: 16 MiB for users, 16 KiB more inside the server
    /// (`BSONObjMaxInternalSize`), and the `applyOps` of a transaction a little above that.
    package static let documentBytes = 48 << 20
    /// The server refuses documents nested deeper than 180 (`BSONDepth`), some older ones 200.
    package static let depth = 250
}
