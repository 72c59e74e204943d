import Model

/// The index in a footer's JSON, read without decoding what stands around it.
///
/// Whoever looks for outages reads thousands of footers; a decoder would take seconds for what
/// takes milliseconds here. The JSON has sorted keys and no spaces, so the first `"index":[` is the
/// index's own: no text of others stands before it.
enum FooterIndex {
    private static let opening = Array(#""index":["#.utf8)
    private static let parts = [#"{"earliest":""#, #"","latest":""#, #"","position":"#].map {
        Array($0.utf8)
    }
    /// `2026-11-22T12:00:00.120345Z`.
    private static let timeBytes = 27

    /// Nil when it is not written as this program writes it.
    static func entries(_ json: [UInt8]) -> [TimeIndexEntry]? {
        var scanner = Scanner(json: json)
        guard scanner.seek(opening) else { return nil }
        if scanner.take(UInt8(ascii: "]")) { return [] }
        var entries: [TimeIndexEntry] = []
        repeat {
            guard scanner.take(parts[0]), let earliest = scanner.time(), scanner.take(parts[1]),
                let latest = scanner.time(), scanner.take(parts[2]),
                let position = scanner.number(), scanner.take(UInt8(ascii: "}"))
            else { return nil }
            entries.append(
                TimeIndexEntry(position: position, earliest: earliest, latest: latest))
        } while scanner.take(UInt8(ascii: ","))
        return scanner.take(UInt8(ascii: "]")) ? entries : nil
    }

    private struct Scanner {
        let json: [UInt8]
        private var place = 0
        /// The minute that was read last, and its start: times come close together.
        private var minute: ArraySlice<UInt8> = []
        private var minuteStart: Int64 = 0

        init(json: [UInt8]) { self.json = json }

        /// Moves behind the first occurrence.
        mutating func seek(_ wanted: [UInt8]) -> Bool {
            while place + wanted.count <= json.count {
                if take(wanted) { return true }
                place += 1
            }
            return false
        }

        mutating func take(_ wanted: [UInt8]) -> Bool {
            guard place + wanted.count <= json.count,
                json[place..<place + wanted.count] == wanted[...]
            else { return false }
            place += wanted.count
            return true
        }

        mutating func take(_ wanted: UInt8) -> Bool {
            guard place < json.count, json[place] == wanted else { return false }
            place += 1
            return true
        }

        mutating func number() -> UInt64? {
            let start = place
            var value: UInt64 = 0
            while place < json.count, case let digit = json[place] &- UInt8(ascii: "0"), digit < 10
            {
                let (tens, isTooLong) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflows) = tens.addingReportingOverflow(UInt64(digit))
                guard !isTooLong, !overflows else { return nil }
                value = sum
                place += 1
            }
            return place > start ? value : nil
        }

        mutating func time() -> CommitTime? {
            guard place + timeBytes <= json.count else { return nil }
            let text = json[place..<place + timeBytes]
            let head = text.prefix(17)
            if head != minute {
                var whole = String(decoding: head, as: UTF8.self)
                whole += "00.000000Z"
                guard let start = CommitTime(whole) else { return nil }
                minute = head
                minuteStart = start.microseconds
            }
            guard let seconds = digits(text, 17, 2), text[text.startIndex + 19] == 0x2E,
                let micros = digits(text, 20, 6), text.last == UInt8(ascii: "Z"), seconds < 60
            else { return nil }
            place += timeBytes
            return CommitTime(microseconds: minuteStart + seconds * 1_000_000 + micros)
        }

        private func digits(_ text: ArraySlice<UInt8>, _ from: Int, _ count: Int) -> Int64? {
            var value: Int64 = 0
            for byte in text[(text.startIndex + from)..<(text.startIndex + from + count)] {
                let digit = byte &- UInt8(ascii: "0")
                guard digit < 10 else { return nil }
                value = value * 10 + Int64(digit)
            }
            return value
        }
    }
}
