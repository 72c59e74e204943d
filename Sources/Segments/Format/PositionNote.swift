/// Where the content frame behind it ends, in an open segment whose positions do not count bytes.
///
/// Eight bytes, little-endian; zero when the frame ends inside an entry. A crash may leave such a
/// frame as the last one: what lies behind the last whole entry is then cut off. A sealed segment
/// needs no such notes: it is read whole, and its footer says where it ends.
enum PositionNote {
    static func encode(_ position: UInt64?) -> [UInt8] {
        var note: [UInt8] = []
        note.append(littleEndian: position ?? 0)
        return note
    }

    /// Nil when it is not a note of this format.
    static func decode(_ note: [UInt8]) -> UInt64? {
        note.count == 8 ? note.loadLittleEndian(UInt64.self, at: 0) : nil
    }
}
