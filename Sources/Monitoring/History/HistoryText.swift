import Model
import Repository

/// The body of `/api/history`, written by hand: an encoder takes a hundred times as long for its
/// many thousand points.
struct HistoryText {
    let hours: Int
    let now: CommitTime
    let sources: [(source: SourceID, history: SourceHistory)]

    /// What one point takes, about.
    private static let pointBytes = 96

    var bytes: [UInt8] {
        var text = "{\"step_seconds\":\(SourceHistory.step(hours: hours)),\"sources\":["
        let minute = HistoryPoint.minute(of: now)
        var day = DayText(day: .min)
        for (place, one) in sources.enumerated() {
            let points = one.history.points(hours: hours, until: minute)
            text.reserveCapacity(text.utf8.count + points.count * Self.pointBytes)
            text += place == 0 ? "" : ","
            // A source's name has no sign that JSON escapes.
            text += "{\"name\":\"\(one.source)\",\"points\":["
            for (place, point) in points.enumerated() {
                if point.day != day.day { day = DayText(day: point.day) }
                text += place == 0 ? "{\"time\":\"" : ",{\"time\":\""
                day.append(minute: point.minute, to: &text)
                text += "\",\"exposure_seconds\":"
                text += point.exposureSeconds?.description ?? "null"
                text += ",\"archived_bytes\":"
                text += String(point.archivedBytes)
                text += "}"
            }
            text += "]}"
        }
        text += "]}\n"
        return Array(text.utf8)
    }

    /// The minutes of one day as times: only their hour and minute differ.
    private struct DayText {
        let day: Int64
        private let date: String

        private static let pairs = (0..<60).map { $0 < 10 ? "0\($0)" : "\($0)" }

        init(day: Int64) {
            self.day = day
            let start = CommitTime(microseconds: day == .min ? 0 : day * 86_400_000_000)
            date = String(start.description.prefix(11))
        }

        func append(minute: Int64, to text: inout String) {
            let place = Int(minute - day * 1440)
            text += date
            text += Self.pairs[place / 60]
            text += ":"
            text += Self.pairs[place % 60]
            text += ":00.000Z"
        }
    }
}
