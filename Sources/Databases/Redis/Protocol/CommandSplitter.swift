/// Finds where commands and transactions begin and end in a replication stream.
///
/// The stream is a sequence of RESP arrays of bulk strings (`*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n`), see
/// Redis's `replication.c`, `replicationFeedSlaves`. It arrives in pieces cut at any byte; the
/// state between pieces is a few words, whatever the size of a value: payloads are skipped, never
/// copied. Lengths and counts are checked before they are added to anything.
package struct CommandSplitter: Sendable {
    /// More arguments than a server accepts (`networking.c`, `processMultibulkBuffer`).
    package static let argumentLimit = Int(Int32.max)
    /// Longer than any value can be: `proto-max-bulk-len` is 512 MiB unless raised.
    package static let lengthLimit = 1 << 40
    /// The database number before the first SELECT, when nothing told it.
    package static let unknownDatabase = -1

    private enum Phase: UInt8 {
        case start, count, countEnd, argument, length, lengthEnd, payload, payloadEnd, lineEnd
    }

    /// Offset of the next byte that has not been looked at.
    package private(set) var position: UInt64
    /// The last place where the stream could be cut: a command's end outside a transaction.
    package private(set) var edge: StreamEdge
    /// Selected at `position`.
    package private(set) var database: Int
    package private(set) var isInTransaction = false
    /// The command that `next` has just completed.
    package private(set) var command = StreamCommand(
        kind: .other, first: 0, last: 0, argumentCount: 0)

    private var phase = Phase.start
    private var digits = 0
    private var number = 0
    private var argumentsLeft = 0
    private var argumentIndex = 0
    private var argumentCount = 0
    private var payloadLeft = 0
    /// Length of the argument under way, to tell names that fit from those that do not.
    private var length = 0
    private var name: UInt64 = 0
    private var second: UInt64 = 0
    private var commandFirst: UInt64 = 0

    /// Starts at a transaction edge.
    package init(at edge: StreamEdge) {
        self.edge = edge
        position = edge.position
        database = edge.database
    }

    /// Whether `position` lies between two commands.
    package var isBetweenCommands: Bool { phase == .start }

    /// Looks at `bytes` from `cursor` on until a command is complete or the bytes end.
    ///
    /// True: `command` is complete and `cursor` is behind it. False: all bytes were taken. After an
    /// error `cursor` and `position` are those of the offending byte, and the splitter is spent.
    @inlinable
    package mutating func next(
        _ bytes: Span<UInt8>, _ cursor: inout Int
    ) throws(SplitFailure) -> Bool {
        let start = cursor
        if isBetweenCommands, wholeCommand(bytes, &cursor) {
            position &+= UInt64(cursor &- start)
            complete()
            return true
        }
        return try anywhere(bytes, &cursor)
    }

    // MARK: a command that lies in the bytes as a whole

    /// The fast way: local variables, one pass, eight bytes at a look. False leaves everything as
    /// it was; the slow way then finds out whether the command is cut off or malformed.
    @inline(__always) @usableFromInline
    mutating func wholeCommand(_ bytes: Span<UInt8>, _ cursor: inout Int) -> Bool {
        let raw = unsafe bytes.bytes
        let end = bytes.count
        var i = cursor
        let count = Self.header(raw, &i, Self.star)
        guard count > 0 else { return false }
        var name: UInt64 = 0
        var second: UInt64 = 0
        var looksAtSecond = false
        for index in 0..<count {
            let length = Self.header(raw, &i, Self.dollar)
            guard length >= 0, length &+ 2 <= end &- i else { return false }
            if index == 0 {
                name = Self.pack(raw, i, length)
                looksAtSecond = CommandKind.looksAtSecond(name)
            } else if looksAtSecond, index == 1 {
                second = Self.pack(raw, i, length)
            }
            i &+= length
            guard bytes[i] == Self.carriageReturn, bytes[i &+ 1] == Self.lineFeed else {
                return false
            }
            i &+= 2
        }
        commandFirst = position
        argumentCount = count
        self.name = name
        self.second = second
        cursor = i
        return true
    }

    /// Reads `mark`, one to four digits and CR LF in one look; −1 when something else stands there
    /// or fewer than eight bytes are left. Little-endian, like every machine this runs on.
    @inline(__always)
    private static func header(_ bytes: RawSpan, _ cursor: inout Int, _ mark: UInt8) -> Int {
        guard bytes.byteCount &- cursor >= 8 else { return -1 }
        // Checked against the span's end one line above; any eight bytes are a number.
        let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: cursor, as: UInt64.self)
        let lineEnd: UInt64 = 0x0a0d
        for digits in 1...4 {
            let shift = UInt64(8 &* (digits &+ 1))
            guard word &>> shift & 0xffff == lineEnd else { continue }
            guard word & 0xff == UInt64(mark) else { return -1 }
            var value = 0
            for index in 1...digits {
                let digit = (word &>> UInt64(8 &* index) & 0xff) &- UInt64(zero)
                if digit > 9 { return -1 }
                value = value &* 10 &+ Int(digit)
            }
            cursor &+= digits &+ 3
            return value
        }
        return -1
    }

    /// At most eight letters in lower case; 0 for longer ones.
    @inline(__always)
    private static func pack(_ bytes: RawSpan, _ start: Int, _ length: Int) -> UInt64 {
        guard length <= 8, length > 0 else { return 0 }
        if bytes.byteCount &- start >= 8 {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self)
            let mask = UInt64.max &>> UInt64(8 &* (8 &- length))
            return (word | 0x2020_2020_2020_2020) & mask
        }
        var value: UInt64 = 0
        for index in 0..<length {
            let letter = unsafe bytes.unsafeLoad(fromByteOffset: start &+ index, as: UInt8.self)
            value |= UInt64(letter | 0x20) &<< UInt64(8 &* index)
        }
        return value
    }

    // MARK: a command in pieces

    @usableFromInline
    mutating func anywhere(
        _ bytes: Span<UInt8>, _ cursor: inout Int
    ) throws(SplitFailure) -> Bool {
        let end = bytes.count
        while cursor < end {
            if phase == .payload {
                skipPayload(bytes, &cursor)
                continue
            }
            let isComplete = try take(bytes[cursor])
            cursor &+= 1
            position &+= 1
            if isComplete {
                complete()
                return true
            }
        }
        return false
    }

    private mutating func skipPayload(_ bytes: Span<UInt8>, _ cursor: inout Int) {
        let taken = min(payloadLeft, bytes.count &- cursor)
        if argumentIndex <= 1, length <= 8 {
            for index in 0..<taken {
                let shift = UInt64(8 &* (length &- payloadLeft &+ index))
                let letter = UInt64(bytes[cursor &+ index] | 0x20) &<< shift
                if argumentIndex == 0 { name |= letter } else { second |= letter }
            }
        }
        payloadLeft &-= taken
        cursor &+= taken
        position &+= UInt64(taken)
        if payloadLeft == 0 { phase = .payloadEnd }
    }

    /// Takes a byte that is not payload; true when it was the last one of a command.
    private mutating func take(_ byte: UInt8) throws(SplitFailure) -> Bool {
        switch phase {
        case .start:
            guard byte == Self.star else { throw failure(.notACommand(byte)) }
            begin()
        case .count:
            if try number(byte, limit: Self.argumentLimit, .tooManyArguments) { phase = .countEnd }
        case .countEnd:
            guard byte == Self.lineFeed else { throw failure(.lineEndMissing) }
            guard number > 0 else { throw failure(.emptyCommand) }
            argumentCount = number
            argumentsLeft = number
            phase = .argument
        case .argument:
            guard byte == Self.dollar else { throw failure(.notAnArgument(byte)) }
            (number, digits) = (0, 0)
            phase = .length
        case .length:
            if try number(byte, limit: Self.lengthLimit, .argumentTooLong) { phase = .lengthEnd }
        case .lengthEnd:
            guard byte == Self.lineFeed else { throw failure(.lineEndMissing) }
            length = number
            payloadLeft = number
            phase = number == 0 ? .payloadEnd : .payload
        case .payload:
            preconditionFailure("payload is skipped, not taken byte by byte")
        case .payloadEnd:
            guard byte == Self.carriageReturn else { throw failure(.lineEndMissing) }
            phase = .lineEnd
        case .lineEnd:
            guard byte == Self.lineFeed else { throw failure(.lineEndMissing) }
            argumentsLeft &-= 1
            argumentIndex &+= 1
            phase = argumentsLeft == 0 ? .start : .argument
            return argumentsLeft == 0
        }
        return false
    }

    private mutating func begin() {
        commandFirst = position
        (number, digits, argumentIndex) = (0, 0, 0)
        (name, second) = (0, 0)
        phase = .count
    }

    /// Adds a digit; true at the carriage return. The limit is checked before the addition.
    private mutating func number(
        _ byte: UInt8, limit: Int, _ excess: SplitFailure.Reason
    ) throws(SplitFailure) -> Bool {
        if byte == Self.carriageReturn, digits > 0 { return true }
        let digit = byte &- Self.zero
        guard digit <= 9 else { throw failure(.notANumber(byte)) }
        guard digits < 19, number <= (limit - Int(digit)) / 10 else { throw failure(excess) }
        number = number * 10 + Int(digit)
        digits &+= 1
        return false
    }

    private func failure(_ reason: SplitFailure.Reason) -> SplitFailure {
        SplitFailure(position: position, reason: reason)
    }

    // MARK: what a command does to the state

    @inline(__always) @usableFromInline
    mutating func complete() {
        let kind = CommandKind(name, second: second)
        command = StreamCommand(
            kind: kind, first: commandFirst, last: position, argumentCount: argumentCount)
        switch kind {
        case .select: database = Self.databaseNumber(second)
        case .multi: isInTransaction = true
        case .exec: isInTransaction = false
        case .other, .ping, .getAck, .flushAll, .flushDatabase, .swapDatabases, .flushFunctions,
            .delete, .unlink, .replay, .publish:
            break
        }
        if !isInTransaction { edge = StreamEdge(position: position, database: database) }
    }

    /// The number that `pack` made of SELECT's argument.
    private static func databaseNumber(_ packed: UInt64) -> Int {
        var rest = packed
        var value = 0
        while rest != 0 {
            let digit = UInt8(truncatingIfNeeded: rest) &- zero
            guard digit <= 9 else { return unknownDatabase }
            value = value * 10 + Int(digit)
            rest >>= 8
        }
        return packed == 0 ? unknownDatabase : value
    }

    private static let star = UInt8(ascii: "*")
    private static let dollar = UInt8(ascii: "$")
    private static let zero = UInt8(ascii: "0")
    private static let carriageReturn: UInt8 = 13
    private static let lineFeed: UInt8 = 10
}
