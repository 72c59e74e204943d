import Model

/// Passes an RDB on with the expiry of every key changed, and a checksum of its own.
///
/// The format is `rdb.c`'s: opcodes, and values whose length only their inside tells, so all of it
/// is walked through; but nothing is kept beyond the bytes of one length. An expiry is opcode FC
/// and eight bytes of milliseconds, little-endian (FD and four of seconds before 2.6).
struct RDBExpiryFilter: Sendable {
    private let change: ExpiryEdit.Change
    private var steps: [RDBStep]
    /// Bytes of the step under way that is not whole yet.
    private var held: [UInt8] = []
    private var skipping: UInt64 = 0
    /// The hash under way loses its fields' times, and so becomes one of the older type.
    private var isPlainHash = false
    private var checksum = CRC64()
    private var output: [UInt8] = []

    init(_ change: ExpiryEdit.Change) {
        self.change = change
        steps = [.opcode, .skip(9)]
    }

    /// Whether the end of the RDB was seen.
    var isAtEnd: Bool { steps.isEmpty }

    /// Takes the next bytes and hands on what they have become.
    mutating func take(
        _ bytes: RawSpan, _ handOn: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        output.removeAll(keepingCapacity: true)
        var cursor = 0
        while cursor < bytes.byteCount {
            guard skipping == 0 else {
                let part = Int(min(skipping, UInt64(bytes.byteCount - cursor)))
                keep(bytes.extracting(cursor..<cursor + part))
                cursor += part
                skipping -= UInt64(part)
                continue
            }
            guard let step = steps.last else { throw damaged("bytes follow its end") }
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: cursor, as: UInt8.self)
            held.append(byte)
            cursor += 1
            try perform(step)
        }
        if !output.isEmpty { try handOn(unsafe output.span.bytes) }
    }

    private mutating func keep(_ bytes: RawSpan) {
        checksum.update(bytes)
        bytes.append(to: &output)
    }

    private mutating func keepHeld() {
        let bytes = held
        held.removeAll(keepingCapacity: true)
        keep(unsafe bytes.span.bytes)
    }

    /// Does the step with the bytes held, if they suffice.
    private mutating func perform(_ step: RDBStep) throws(TidemarkError) {
        switch step {
        case .skip(let count):
            steps.removeLast()
            skipping = count - 1
            keepHeld()
        case .opcode: try opcode(held[0])
        case .expiry(let width): if held.count == width { expire() }
        case .fieldBase: if held.count == 8 { expireFields() }
        case .fieldMoment: if held.count == 8 { expireField() }
        case .checksum: if held.count == 8 { end() }
        case .score:
            steps.removeLast()
            // 253 to 255 are NaN and the infinities.
            if held[0] < 253, held[0] > 0 { steps.append(.skip(UInt64(held[0]))) }
            keepHeld()
        case .fieldPack: try packed()
        case .length, .string, .list, .module, .fieldTime:
            guard let (value, form) = try length() else { return }
            if case .fieldTime = step, isPlainHash { held.removeAll(keepingCapacity: true) }
            keepHeld()
            steps.removeLast()
            try pushed(step, value, form)
        case .times(let count, let inner):
            preconditionFailure("\(count) times \(inner.count) steps are unrolled before they run")
        }
        unroll()
    }

    private mutating func pushed(
        _ step: RDBStep, _ value: UInt64, _ form: StringForm
    ) throws(TidemarkError) {
        switch (step, form) {
        case (.list(let inner), .plain): steps.append(.times(value, inner))
        case (.string, .plain) where value > 0: steps.append(.skip(value))
        case (.string, .plain): break
        case (.string, .integer): steps.append(.skip(value))
        case (.string, .compressed): steps.append(.skip(value))
        case (.length, .plain), (.fieldTime, .plain): break
        case (.module, .plain): try module(value)
        default: throw damaged("a length has an impossible form")
        }
    }

    /// Repetitions one at a time, so that a list of millions takes no memory.
    private mutating func unroll() {
        while case .times(let count, let inner)? = steps.last {
            steps.removeLast()
            guard count > 0 else { continue }
            if count > 1 { steps.append(.times(count - 1, inner)) }
            steps += inner.reversed()
        }
    }

    // MARK: opcodes

    private mutating func opcode(_ byte: UInt8) throws(TidemarkError) {
        switch byte {
        case 0xfc, 0xfd:
            steps.append(.expiry(byte == 0xfc ? 9 : 5))
            return
        case 0xff:
            steps = [.checksum]
            keepHeld()
            return
        default: break
        }
        guard let following = RDBStep.following(byte) else {
            throw TidemarkError(
                .failed, "the base backup holds a value of the unknown type \(byte)",
                remedy: "restore with --expiry keep, which needs not look into values")
        }
        steps += following.reversed()
        isPlainHash =
            change == .persist
            && (byte == RDBStep.hashWithTimes || byte == RDBStep.hashWithMoments)
        if isPlainHash { held = [RDBStep.plainHash] }
        keepHeld()
    }

    /// What a module saved is a row of marked values (`module.c`).
    private mutating func module(_ mark: UInt64) throws(TidemarkError) {
        let value: RDBStep
        switch mark {
        case 0: return
        case 1, 2: value = .length
        case 3: value = .skip(4)
        case 4: value = .skip(8)
        case 5: value = .string
        default: throw damaged("a module's value has the unknown mark \(mark)")
        }
        steps += [.module, value]
    }

    private mutating func expire() {
        steps.removeLast()
        switch change {
        case .none: break
        case .persist: held.removeAll(keepingCapacity: true)
        case .shift(let milliseconds):
            let isSeconds = held.count == 5
            FieldTimes.add(
                isSeconds ? milliseconds / 1000 : milliseconds, to: &held, at: 1..<held.count)
        }
        keepHeld()
    }

    /// Moves the time that the fields' own are counted from; a hash that has none left is a plain
    /// one.
    private mutating func expireFields() {
        steps.removeLast()
        switch change {
        case .none: break
        // Of the packed form it is only a hint, and 0 is none.
        case .persist: held = isPlainHash ? [] : [UInt8](repeating: 0, count: 8)
        case .shift(let milliseconds): FieldTimes.add(milliseconds, to: &held, at: 0..<8)
        }
        keepHeld()
    }

    /// Moves the time of one field, or takes it away together with all others.
    private mutating func expireField() {
        steps.removeLast()
        switch change {
        case .none: break
        case .persist: held.removeAll(keepingCapacity: true)
        case .shift(let milliseconds):
            if held.contains(where: { $0 != 0xff }) {
                FieldTimes.add(milliseconds, to: &held, at: 0..<8)
            }
        }
        keepHeld()
    }

    /// A listpack is changed as a whole: it may be compressed.
    private mutating func packed() throws(TidemarkError) {
        var scanner = RDBScanner(held, limit: FieldTimes.limit)
        guard let bytes = try scanner.text() else { return }
        steps.removeLast()
        guard let changed = FieldTimes.changed(bytes, change) else {
            throw damaged("a hash whose fields expire is not understood")
        }
        held = [0x80] + (0..<4).map { UInt8(truncatingIfNeeded: changed.count >> (24 - 8 * $0)) }
        held += changed
        keepHeld()
    }

    /// A file without a checksum gets none.
    private mutating func end() {
        steps.removeLast()
        let isMarked = held.contains { $0 != 0 }
        let value = isMarked ? checksum.value : 0
        for index in 0..<8 {
            output.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
        }
        held = []
    }

    // MARK: lengths

    private enum StringForm { case plain, integer, compressed }

    /// The length that the bytes held are; nil while more are needed.
    private func length() throws(TidemarkError) -> (UInt64, StringForm)? {
        guard held.count < 32 else { throw damaged("a length is impossible") }
        guard let (value, used) = try number(at: 0) else {
            guard held[0] >> 6 == 3 else { return nil }
            switch held[0] & 0x3f {
            case 0: return (1, .integer)
            case 1: return (2, .integer)
            case 2: return (4, .integer)
            case 3:
                guard held.count > 1, let (stored, first) = try number(at: 1),
                    held.count > 1 + first, let (_, second) = try number(at: 1 + first),
                    held.count == 1 + first + second
                else { return nil }
                return (stored, .compressed)
            default: throw damaged("a string has the unknown form \(held[0] & 0x3f)")
            }
        }
        return held.count == used ? (value, .plain) : nil
    }

    private func number(at start: Int) throws(TidemarkError) -> (UInt64, Int)? {
        let first = held[start]
        let width: Int
        switch first >> 6 {
        case 0: return (UInt64(first), 1)
        case 1:
            guard held.count >= start + 2 else { return nil }
            return (UInt64(first & 0x3f) << 8 | UInt64(held[start + 1]), 2)
        case 2:
            guard first == 0x80 || first == 0x81 else { throw damaged("a length is impossible") }
            width = first == 0x80 ? 4 : 8
        default: return nil
        }
        guard held.count >= start + 1 + width else { return nil }
        let digits = held[start + 1..<start + 1 + width]
        return (digits.reduce(0) { $0 << 8 | UInt64($1) }, 1 + width)
    }

    private func damaged(_ what: String) -> TidemarkError { RDBPreamble.damaged(what) }
}
