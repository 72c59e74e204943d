/// What a command in the stream means to the archiver. Everything else is `.other`.
package enum CommandKind: UInt8, Sendable, Hashable {
    case other
    case select, multi, exec
    /// The primary's sign of life, every `repl-ping-replica-period` seconds.
    case ping
    /// `REPLCONF GETACK *`: somebody waits for our exact position (WAIT, SHUTDOWN).
    case getAck
    case flushAll, flushDatabase, swapDatabases, flushFunctions
    /// DEL and UNLINK, of however many keys.
    case delete, unlink
    /// KeyDB's wrapped replication, which this program does not understand.
    case replay
    /// PUBLISH and SPUBLISH: in the stream, but no change of data.
    case publish
}

extension CommandKind {
    /// - Parameters:
    ///   - name: of the command.
    ///   - second: the first argument, packed like a name; 0 where it was not looked at.
    @inline(__always)
    init(_ name: UInt64, second: UInt64) {
        switch name {
        case Names.select: self = .select
        case Names.multi: self = .multi
        case Names.exec: self = .exec
        case Names.ping: self = .ping
        case Names.replconf: self = second == Names.getack ? .getAck : .other
        case Names.flushall: self = .flushAll
        case Names.flushdb: self = .flushDatabase
        case Names.swapdb: self = .swapDatabases
        case Names.function: self = second == Names.flush ? .flushFunctions : .other
        case Names.del: self = .delete
        case Names.unlink: self = .unlink
        case Names.rreplay: self = .replay
        case Names.publish, Names.spublish: self = .publish
        default: self = .other
        }
    }

    /// Whether the archiver needs to see the first argument.
    @inline(__always)
    static func looksAtSecond(_ name: UInt64) -> Bool {
        name == Names.select || name == Names.replconf || name == Names.function
    }
}

/// Packed names (see `CommandName`) as constants, so that the switch above compiles to compares.
private enum Names {
    static let select: UInt64 = 0x7463_656c_6573
    static let multi: UInt64 = 0x69_746c_756d
    static let exec: UInt64 = 0x6365_7865
    static let ping: UInt64 = 0x676e_6970
    static let replconf: UInt64 = 0x666e_6f63_6c70_6572
    static let getack: UInt64 = 0x6b63_6174_6567
    static let flushall: UInt64 = 0x6c6c_6168_7375_6c66
    static let flushdb: UInt64 = 0x62_6468_7375_6c66
    static let swapdb: UInt64 = 0x6264_7061_7773
    static let function: UInt64 = 0x6e6f_6974_636e_7566
    static let flush: UInt64 = 0x68_7375_6c66
    static let del: UInt64 = 0x6c_6564
    static let unlink: UInt64 = 0x6b6e_696c_6e75
    static let rreplay: UInt64 = 0x79_616c_7065_7272
    static let publish: UInt64 = 0x68_7369_6c62_7570
    static let spublish: UInt64 = 0x6873_696c_6275_7073
}
