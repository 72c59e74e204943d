/// One result of a command; a command may have several, and ends with `none`.
enum ConnectionReply: Sendable, Equatable {
    case rows(ConnectionRows)
    /// The command's tag: `CREATE_REPLICATION_SLOT`, `COPY 0`.
    case done(String)
    /// The connection now carries a stream in the named direction.
    case copyBoth, copyOut, copyIn
    case failed(ConnectionFailure)
    /// Nothing more belongs to the last command.
    case none
}
