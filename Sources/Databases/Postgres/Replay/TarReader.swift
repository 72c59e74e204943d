import Model

/// Takes the members of a tar archive, in order.
protocol TarSink: AnyObject {
    func begin(_ member: TarMember) throws(TidemarkError)
    /// Content of the member begun last; lent for the call only.
    func content(_ bytes: RawSpan) throws(TidemarkError)
    func end() throws(TidemarkError)
}

/// Splits a tar archive that arrives in pieces of any size. Content is passed on without a copy.
///
/// Knows what Postgres writes (ustar) and what other programs may put into an archive that was
/// repacked: GNU long names (`L`, `K`) and pax headers (`x`, `g`: `path`, `linkpath`, `size`).
struct TarReader {
    private enum State {
        case header
        case content(left: UInt64, padding: Int)
        case note(type: UInt8, left: UInt64, padding: Int)
        case padding(Int)
        case ended
    }

    /// Names and pax headers are short; more is damage.
    private static let noteLimit: UInt64 = 1 << 20

    private var state = State.header
    private var block: [UInt8] = []
    private var note: [UInt8] = []
    private var longName: String?
    private var longLink: String?
    private var paxSize: UInt64?

    mutating func take(_ bytes: RawSpan, into sink: any TarSink) throws(TidemarkError) {
        var offset = 0
        while offset < bytes.byteCount {
            let rest = bytes.extracting(offset..<bytes.byteCount)
            offset += try step(rest, sink)
        }
    }

    /// Checks that the archive did not end inside a member. The closing blocks of zeros may be
    /// missing: Postgres before 15 leaves them to the client, and archives of it exist without.
    func finish() throws(TidemarkError) {
        switch state {
        case .header where block.isEmpty: return
        case .ended: return
        case .header, .content, .note, .padding:
            throw TidemarkError(
                .archiveDamaged, "the tar of the base backup ends inside a file",
                remedy: "restore from another base backup (`tidemark list`)")
        }
    }

    /// Consumes at least one byte; returns how many.
    private mutating func step(
        _ bytes: RawSpan, _ sink: any TarSink
    ) throws(TidemarkError) -> Int {
        switch state {
        case .ended:
            return bytes.byteCount
        case .header:
            let count = collect(bytes, upTo: TarHeader.blockBytes - block.count)
            if block.count == TarHeader.blockBytes { try open(sink) }
            return count
        case .content(let left, let padding):
            let count = Int(min(left, UInt64(bytes.byteCount)))
            try sink.content(bytes.extracting(0..<count))
            if left == UInt64(count) { try sink.end() }
            state =
                left == UInt64(count)
                ? Self.after(padding) : .content(left: left - UInt64(count), padding: padding)
            return count
        case .note(let type, let left, let padding):
            let count = Int(min(left, UInt64(bytes.byteCount)))
            unsafe bytes.extracting(0..<count).withUnsafeBytes {
                unsafe note.append(contentsOf: $0)
            }
            if left == UInt64(count) { try apply(type) }
            state =
                left == UInt64(count)
                ? Self.after(padding)
                : .note(type: type, left: left - UInt64(count), padding: padding)
            return count
        case .padding(let left):
            let count = min(left, bytes.byteCount)
            state = Self.after(left - count)
            return count
        }
    }

    private static func after(_ padding: Int) -> State {
        padding == 0 ? .header : .padding(padding)
    }

    private mutating func collect(_ bytes: RawSpan, upTo limit: Int) -> Int {
        let count = min(limit, bytes.byteCount)
        unsafe bytes.extracting(0..<count).withUnsafeBytes { unsafe block.append(contentsOf: $0) }
        return count
    }

    private mutating func open(_ sink: any TarSink) throws(TidemarkError) {
        let header = try TarHeader(block)
        block.removeAll(keepingCapacity: true)
        guard let header else {
            state = .ended
            return
        }
        let padding = Int((512 - header.size % 512) % 512)
        if "LKxg".utf8.contains(header.type) {
            guard header.size <= Self.noteLimit else { throw Self.damaged("an endless name") }
            note.removeAll()
            state =
                header.size == 0
                ? .header : .note(type: header.type, left: header.size, padding: padding)
            return
        }
        try begin(header, sink)
    }

    private mutating func begin(
        _ header: TarHeader, _ sink: any TarSink
    ) throws(TidemarkError) {
        let member = try member(header)
        (longName, longLink, paxSize) = (nil, nil, nil)
        try sink.begin(member)
        if member.size == 0 {
            try sink.end()
            state = .header
        } else {
            let padding = Int((512 - member.size % 512) % 512)
            state = .content(left: member.size, padding: padding)
        }
    }

    private func member(_ header: TarHeader) throws(TidemarkError) -> TarMember {
        let path = try Self.clean(longName ?? header.name)
        let kind: TarMember.Kind =
            switch header.type {
            case 0, UInt8(ascii: "0"): .file
            case UInt8(ascii: "5"): .directory
            case UInt8(ascii: "2"): .link(target: longLink ?? header.link)
            default: .other(header.type)
            }
        let size = kind == .file ? paxSize ?? header.size : 0
        return TarMember(path: path, kind: kind, size: size)
    }

    /// A member may not leave the folder it is unpacked into.
    private static func clean(_ name: String) throws(TidemarkError) -> String {
        let parts = name.split(separator: "/").filter { $0 != "." }
        guard !name.hasPrefix("/"), !parts.contains("..") else {
            throw damaged("a file that would lie outside the data directory (\(name))")
        }
        return parts.joined(separator: "/")
    }

    private mutating func apply(_ type: UInt8) throws(TidemarkError) {
        switch type {
        case UInt8(ascii: "L"):
            longName = String(decoding: note.prefix { $0 != 0 }, as: UTF8.self)
        case UInt8(ascii: "K"):
            longLink = String(decoding: note.prefix { $0 != 0 }, as: UTF8.self)
        case UInt8(ascii: "x"):
            try applyPax()
        default:
            break
        }
    }

    /// Records are `<length> <key>=<value>\n`, the length counting all of it.
    private mutating func applyPax() throws(TidemarkError) {
        var rest = note[...]
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: 32),
                let length = Int(String(decoding: rest[rest.startIndex..<space], as: UTF8.self)),
                length > space - rest.startIndex + 1, length <= rest.count
            else { throw Self.damaged("an unreadable pax header") }
            let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
            rest = rest.dropFirst(length)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let key = String(decoding: record[record.startIndex..<equals], as: UTF8.self)
            let value = String(decoding: record[(equals + 1)...], as: UTF8.self)
            switch key {
            case "path": longName = value
            case "linkpath": longLink = value
            case "size": paxSize = UInt64(value)
            default: break
            }
        }
    }

    private static func damaged(_ what: String) -> TidemarkError {
        TidemarkError(
            .archiveDamaged, "the tar of the base backup holds \(what)",
            remedy: "restore from another base backup (`tidemark list`)")
    }
}
