import Model
import Repository

/// The body of `/api/history`, written by hand: an encoder takes a hundred times as long for its
/// many thousand points.
struct HistoryText {
    let hours: Int
    let now: CommitTime
    let sources: [(source: SourceID, history: SourceHistory)]

    var bytes: [UInt8] {
        var text = "{\"step_seconds\":\(SourceHistory.step(hours: hours)),\"sources\":["
        let minute = HistoryPoint.minute(of: now)
        for (place, one) in sources.enumerated() {
            text += place == 0 ? "" : ","
            // A source's name has no sign that JSON escapes.
            text += "{\"name\":\"\(one.source)\",\"points\":["
            for (place, point) in one.history.points(hours: hours, until: minute).enumerated() {
                text += place == 0 ? "" : ","
                text += "{\"time\":\"\(point.time)\",\"exposure_seconds\":"
                text += point.exposureSeconds.map { "\($0)" } ?? "null"
                text += ",\"archived_bytes\":\(point.archivedBytes)}"
            }
            text += "]}"
        }
        return Array((text + "]}\n").utf8)
    }
}
