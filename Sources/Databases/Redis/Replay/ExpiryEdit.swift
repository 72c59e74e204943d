import Model

/// Changes when keys expire, command by command.
///
/// From 7.0 on the stream carries absolute times only (`SET … PXAT`, `PEXPIREAT`, `RESTORE …
/// ABSTTL`, `HPEXPIREAT`), before it also times that count from the moment of execution. Those are
/// made absolute first, since a loader would count them from the moment of loading.
struct ExpiryEdit: Sendable {
    enum Change: Sendable, Hashable {
        case none
        /// Milliseconds that are added to every expiry.
        case shift(Int64)
        case persist
    }

    var change: Change
    /// Whether relative times are to be made absolute.
    var hasRelativeTimes: Bool

    /// Nothing is to be changed.
    var isEmpty: Bool { change == .none && !hasRelativeTimes }

    private static let names: Set<String> = [
        "SET", "SETEX", "PSETEX", "GETEX", "EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT", "RESTORE",
        "HPEXPIREAT", "HSETEX",
    ]

    /// Whether a command that begins so may carry an expiry; true while its name is not whole.
    static func mayConcern(_ beginning: [UInt8]) -> Bool {
        let lines = beginning.prefix(64).split(separator: 10, maxSplits: 3)
        guard lines.count > 3 else { return true }
        let name = lines[2].dropLast()
        // A SET of a key and a value and nothing more has no expiry, however long the value is.
        if lines[0].elementsEqual("*3\r".utf8), name.count == 3 { return false }
        return names.contains(String(decoding: name, as: UTF8.self).uppercased())
    }

    /// The command in its new form; nil when it stays as it is.
    ///
    /// - Parameter now: when the command was executed, in milliseconds since 1970.
    func apply(_ command: [UInt8], now: Int64) -> [UInt8]? {
        guard !isEmpty, Self.mayConcern(command) else { return nil }
        var words = CommandWords(command)
        switch words.upper(0) {
        case "SET": return option(&words, from: 3, now)
        case "HSETEX": return option(&words, from: 2, now)
        case "SETEX": return timedSet(words, unit: 1000, now)
        case "PSETEX": return timedSet(words, unit: 1, now)
        case "GETEX":
            guard let place = optionPlace(words, from: 2), let time = time(words, place, now) else {
                return nil
            }
            return expire(words.words[1], time)
        case "EXPIRE": return expiry(words, unit: 1000, base: now)
        case "PEXPIRE": return expiry(words, unit: 1, base: now)
        case "EXPIREAT": return expiry(words, unit: 1000, base: 0)
        case "PEXPIREAT": return expiry(words, unit: 1, base: 0)
        case "RESTORE": return restore(&words, now)
        case "HPEXPIREAT": return fields(&words)
        default: return nil
        }
    }

    // MARK: each form

    /// `SET k v … PX 100` and its relatives: one option word and its number.
    private func option(_ words: inout CommandWords, from first: Int, _ now: Int64) -> [UInt8]? {
        guard let place = optionPlace(words, from: first), let time = time(words, place, now) else {
            return nil
        }
        guard let time = changed(time) else {
            words.words.removeSubrange(place...place + 1)
            return words.bytes
        }
        words.set(place, "PXAT")
        words.set(place + 1, String(time))
        return words.bytes
    }

    private func optionPlace(_ words: CommandWords, from first: Int) -> Int? {
        // Field names and values that follow FIELDS may look like options.
        var place = first
        while place + 1 < words.words.count, words.upper(place) != "FIELDS" {
            if ["EX", "PX", "EXAT", "PXAT"].contains(words.upper(place)) { return place }
            place += 1
        }
        return nil
    }

    private func time(_ words: CommandWords, _ place: Int, _ now: Int64) -> Int64? {
        guard let number = words.number(place + 1) else { return nil }
        switch words.upper(place) {
        case "EX": return Self.sum(now, number, 1000)
        case "PX": return Self.sum(now, number, 1)
        case "EXAT": return Self.sum(0, number, 1000)
        default: return number
        }
    }

    /// `SETEX k 10 v` becomes `SET k v PXAT …`.
    private func timedSet(_ words: CommandWords, unit: Int64, _ now: Int64) -> [UInt8]? {
        guard words.words.count == 4, let number = words.number(2),
            let time = Self.sum(now, number, unit)
        else { return nil }
        var set = words
        set.words = [CommandWords.word("SET"), words.words[1], words.words[3]]
        if let time = changed(time) {
            set.words += [CommandWords.word("PXAT"), CommandWords.word(String(time))]
        }
        return set.bytes
    }

    private func expiry(_ words: CommandWords, unit: Int64, base: Int64) -> [UInt8]? {
        guard let number = words.number(2), let time = Self.sum(base, number, unit) else {
            return nil
        }
        return expire(words.words[1], time, Array(words.words.dropFirst(3)))
    }

    private func expire(
        _ key: ArraySlice<UInt8>, _ time: Int64, _ conditions: [ArraySlice<UInt8>] = []
    ) -> [UInt8] {
        var words = CommandWords([UInt8]("*0\r\n".utf8))
        if let time = changed(time) {
            let time = CommandWords.word(String(time))
            words.words = [CommandWords.word("PEXPIREAT"), key, time] + conditions
        } else {
            words.words = [CommandWords.word("PERSIST"), key]
        }
        return words.bytes
    }

    /// `RESTORE k ttl value [REPLACE] [ABSTTL] …`; a ttl of 0 is none.
    private func restore(_ words: inout CommandWords, _ now: Int64) -> [UInt8]? {
        guard let number = words.number(2), number > 0 else { return nil }
        let place = (4..<max(4, words.words.count)).first { words.upper($0) == "ABSTTL" }
        guard let time = Self.sum(place == nil ? now : 0, number, 1) else { return nil }
        guard let time = changed(time) else {
            words.set(2, "0")
            return words.bytes
        }
        words.set(2, String(time))
        if place == nil { words.insert("ABSTTL", at: 4) }
        return words.bytes
    }

    /// `HPEXPIREAT k ms … FIELDS n f …`
    private func fields(_ words: inout CommandWords) -> [UInt8]? {
        guard let number = words.number(2) else { return nil }
        guard let time = changed(number) else {
            words.set(0, "HPERSIST")
            words.words.remove(at: 2)
            return words.bytes
        }
        words.set(2, String(time))
        return words.bytes
    }

    // MARK: times

    /// Nil: the key is not to expire.
    private func changed(_ time: Int64) -> Int64? {
        switch change {
        case .none: time
        case .shift(let milliseconds): time.addingReportingOverflow(milliseconds).partialValue
        case .persist: nil
        }
    }

    /// `base + number × unit`; nil when no time is that far away.
    private static func sum(_ base: Int64, _ number: Int64, _ unit: Int64) -> Int64? {
        let (product, isTooLong) = number.multipliedReportingOverflow(by: unit)
        let (sum, isTooFar) = base.addingReportingOverflow(product)
        return isTooLong || isTooFar ? nil : sum
    }
}

extension ExpiryEdit {
    /// What an order asks for, of a source of this version.
    init(_ expiry: ExpiryOrder, _ version: RedisVersion) {
        hasRelativeTimes = version < .filtering
        switch expiry {
        case .keep: change = .none
        case .persist: change = .persist
        case .shift(let moment, let now):
            change = .shift(Int64(max(0, now.seconds(since: moment)) * 1000))
        }
    }
}
