import Crypto
package import Model

/// A day of a source's history as a file: `<source>/history/2026-11-24.csv`.
///
/// ```
/// time,exposure_seconds,archived_bytes
/// 2026-11-24T12:00:00Z,0.812,12345
/// 2026-11-24T12:01:00Z,,0
/// # sha256 <hex>
/// ```
///
/// Minutes ascend; one without the sidecar has no line; an empty exposure is an unknown one. The
/// last line holds the SHA-256 of everything before it.
package enum HistoryFile {
    private static let title = "time,exposure_seconds,archived_bytes"
    private static let trailer = "# sha256 "
    /// Far more than a day can have.
    package static let byteLimit = 1 << 20

    /// - Precondition: the points are of one day, ascending.
    package static func encode(_ points: [HistoryPoint]) -> [UInt8] {
        var text = title + "\n"
        for point in points {
            text += "\(point.time.text(fractionDigits: 0)),"
            if let exposure = point.exposureSeconds { text += milliseconds(exposure) }
            text += ",\(point.archivedBytes)\n"
        }
        let bytes = Array(text.utf8)
        return bytes + Array("\(trailer)\(checksum(bytes[...]))\n".utf8)
    }

    /// Throws `archiveDamaged`; nothing of a damaged file is believed.
    package static func decode(
        _ bytes: [UInt8], day: Int64, of key: ObjectKey
    ) throws(TidemarkError) -> [HistoryPoint] {
        let length = trailer.utf8.count + 65
        let split = max(0, bytes.count - length)
        let last = String(decoding: bytes[split...], as: UTF8.self)
        guard last == "\(trailer)\(checksum(bytes[..<split]))\n" else { throw damaged(key) }
        var points: [HistoryPoint] = []
        var lines = bytes[..<split].split(separator: UInt8(ascii: "\n"))[...]
        guard lines.popFirst().map({ Array($0) }) == Array(title.utf8) else { throw damaged(key) }
        for line in lines {
            guard let point = point(line), point.day == day,
                points.last.map({ $0.minute < point.minute }) ?? true
            else { throw damaged(key) }
            points.append(point)
        }
        return points
    }

    private static func point(_ line: ArraySlice<UInt8>) -> HistoryPoint? {
        let cells = line.split(
            separator: UInt8(ascii: ","), omittingEmptySubsequences: false
        ).map { String(decoding: $0, as: UTF8.self) }
        guard cells.count == 3, let time = CommitTime(cells[0]), let bytes = UInt64(cells[2])
        else { return nil }
        var exposure: Double?
        if !cells[1].isEmpty {
            guard let value = Double(cells[1]), value.isFinite, value >= 0 else { return nil }
            exposure = value
        }
        return HistoryPoint(
            minute: HistoryPoint.minute(of: time), exposureSeconds: exposure, archivedBytes: bytes)
    }

    /// Rounded up, so that it is never too good.
    private static func milliseconds(_ seconds: Double) -> String {
        let whole = UInt64((min(max(seconds, 0), 1e12) * 1000).rounded(.up))
        let part = String(whole % 1000)
        return "\(whole / 1000)." + String(repeating: "0", count: 3 - part.count) + part
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        return String(
            SHA256.hash(data: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    private static func damaged(_ key: ObjectKey) -> TidemarkError {
        TidemarkError(
            .archiveDamaged, "\(key) is damaged",
            remedy: "it holds no data, only the curve of that day; `tidemark run` sets it aside")
    }
}
