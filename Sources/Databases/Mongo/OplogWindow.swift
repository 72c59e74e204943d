import Model

/// How long the archiver may be away before the oplog drops what it has not read. Pure.
///
/// An oplog is of a fixed size: what lies behind the archive's end may fill it, and no more. So the
/// forecast is the room that is left, over the rate at which entries come at present. Where the
/// size may not be asked, it is how far the oplog reaches back.
struct OplogWindow: Hashable, Sendable {
    var oldest: OpTime
    var newest: OpTime
    /// The archive's end.
    var position: OpTime
    /// Bytes that the oplog holds, and that it may hold; nil when not known.
    var size: UInt64?
    var limit: UInt64?
    /// Bytes a second; nil when none came.
    var rate: Double?

    var window: SourceWindow {
        let span = Double(max(newest, oldest).seconds - oldest.seconds)
        let left = Double(max(position, oldest).seconds - oldest.seconds)
        guard let limit, limit > 0, let size else {
            return SourceWindow(
                kind: "oplog", headroomSeconds: left, headroomBytes: nil,
                share: span > 0 ? min(1, left / span) : nil)
        }
        // What was written since, as a part of what there is.
        let behind = span > 0 ? max(0, span - left) / span * Double(size) : 0
        let room = position < oldest ? 0 : max(0, Double(limit) - behind)
        return SourceWindow(
            kind: "oplog", headroomSeconds: rate.map { room / $0 }, headroomBytes: UInt64(room),
            share: room / Double(limit))
    }
}
