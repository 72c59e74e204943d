import FoundationEssentials
import Model

/// The descriptor of a sealed segment, as the last note of its file.
///
/// The JSON is ASCII with sorted keys, so the same descriptor always gives the same bytes. In an
/// LZ4 file it travels in a skippable frame that can be found from the end of the file:
///
/// ```
/// 54 2a 4d 18   length(4)                   magic 0x184D2A54, length of what follows
/// JSON                                       the descriptor
/// CRC-32 of the JSON(4)  length of the JSON(4)  "tidemark"
/// ```
///
/// In a gzip file it is the comment of an empty member (see `GzipFormat`), whose extra field holds
/// the JSON's CRC-32 and length and then a zero byte, which bounds the comment for a reader that
/// comes from the end. All numbers are little-endian.
enum SegmentFooter {
    /// How much of a file's end is read at first; nearly every footer fits.
    static let firstRead = 64 << 10
    /// Longest footer that is believed.
    static let limit = 4 << 20

    private static let signature = Array("tidemark".utf8)
    private static let trailerBytes = 16

    /// The whole note, ready to be appended to the file.
    static func encode(
        _ descriptor: SegmentDescriptor, _ compression: Compression
    ) throws(TidemarkError) -> [UInt8] {
        let json = try json(descriptor)
        var trailer: [UInt8] = []
        trailer.append(littleEndian: GzipFormat.checksum(json))
        trailer.append(littleEndian: UInt32(json.count))
        switch compression {
        case .lz4:
            var frame: [UInt8] = []
            let magic = LZ4Format.skippableMagic + UInt32(NoteTag.footer.rawValue)
            frame.append(littleEndian: magic)
            frame.append(littleEndian: UInt32(json.count + trailerBytes))
            return frame + json + trailer + signature
        case .gzip:
            return GzipFormat.note(.footer, extra: trailer + [0], comment: json)
        }
    }

    /// What the end of a file says.
    enum Parsed: Equatable {
        case footer(SegmentDescriptor, length: Int)
        /// The footer is longer than the bytes given; read this many from the end.
        case needs(Int)
        /// No footer of this program ends here.
        case none
    }

    static func parse(end tail: [UInt8], _ compression: Compression) -> Parsed {
        switch find(end: tail, compression) {
        case .json(let json, let length):
            descriptor(json).map { .footer($0, length: length) } ?? .none
        case .needs(let more): .needs(more)
        case .none: .none
        }
    }

    /// What the end of a file holds.
    enum Found {
        /// Its checksum is right.
        case json([UInt8], length: Int)
        /// As in `Parsed`.
        case needs(Int), none
    }

    static func find(end tail: [UInt8], _ compression: Compression) -> Found {
        switch compression {
        case .lz4: findLZ4(tail)
        case .gzip: findGzip(tail)
        }
    }

    /// Nil when it is not the JSON of a descriptor.
    static func descriptor(_ json: [UInt8]) -> SegmentDescriptor? {
        try? JSONDecoder().decode(SegmentDescriptor.self, from: Data(json))
    }

    private static func findLZ4(_ tail: [UInt8]) -> Found {
        guard tail.count >= trailerBytes, tail.suffix(signature.count) == signature[...] else {
            return .none
        }
        let end = tail.count - trailerBytes
        let length = Int(tail.loadLittleEndian(UInt32.self, at: end + 4))
        let whole = LZ4Format.skippableHeader + length + trailerBytes
        guard whole <= limit else { return .none }
        guard whole <= tail.count else { return .needs(whole) }
        let start = tail.count - whole
        let magic = LZ4Format.skippableMagic + UInt32(NoteTag.footer.rawValue)
        guard tail.loadLittleEndian(UInt32.self, at: start) == magic,
            Int(tail.loadLittleEndian(UInt32.self, at: start + 4)) == length + trailerBytes
        else { return .none }
        return checked(
            Array(tail[end - length..<end]), tail.loadLittleEndian(UInt32.self, at: end), whole)
    }

    private static func findGzip(_ tail: [UInt8]) -> Found {
        // From the end: the empty body, the comment's zero, the comment, the extra field's zero.
        let end = tail.count - GzipFormat.emptyBody.count - 1
        guard end > 0, tail[end] == 0, tail.suffix(10) == GzipFormat.emptyBody[...] else {
            return .none
        }
        guard let zero = tail[..<end].lastIndex(where: { !(0x20..<0x7F).contains($0) }) else {
            return tail.count >= limit ? .none : .needs(min(tail.count * 4, limit))
        }
        let headerBytes = 26
        guard tail[zero] == 0 else { return .none }
        guard zero + 1 >= headerBytes else { return .needs(tail.count + headerBytes) }
        let json = Array(tail[zero + 1..<end])
        let expected = GzipFormat.note(
            .footer, extra: Array(tail[zero - 8...zero]), comment: json)
        guard Array(tail[(zero + 1 - headerBytes)...]) == expected,
            Int(tail.loadLittleEndian(UInt32.self, at: zero - 4)) == json.count
        else { return .none }
        return checked(json, tail.loadLittleEndian(UInt32.self, at: zero - 8), expected.count)
    }

    private static func checked(_ json: [UInt8], _ checksum: UInt32, _ length: Int) -> Found {
        GzipFormat.checksum(json) == checksum ? .json(json, length: length) : .none
    }

    /// Sorted keys, one line; everything outside ASCII as `\uXXXX`, since a gzip comment is
    /// Latin-1.
    private static func json(_ descriptor: SegmentDescriptor) throws(TidemarkError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text: String
        do {
            text = String(decoding: try encoder.encode(descriptor), as: UTF8.self)
        } catch {
            throw TidemarkError(.failed, "cannot write a segment's descriptor", cause: error)
        }
        var ascii: [UInt8] = []
        for unit in text.utf16 {
            if unit < 0x7F {
                ascii.append(UInt8(unit))
            } else {
                let digits = String(unit, radix: 16)
                ascii += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
            }
        }
        return ascii
    }
}
