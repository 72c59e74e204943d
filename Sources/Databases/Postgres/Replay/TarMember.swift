/// One entry of a tar archive, before its content.
struct TarMember: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case file, directory
        case link(target: String)
        /// Devices, pipes, hard links: a data directory has none.
        case other(UInt8)
    }

    /// Relative, without a trailing slash.
    var path: String
    var kind: Kind
    var size: UInt64
}
