import Model
import Platform
import TestKit
import Testing

@testable import Segments

/// The codecs, by themselves.
@Suite struct CodecTests {
    private let history = History()

    /// Three frames, a note between them, and the content they stand for.
    private func sample(
        _ compression: Compression, _ sizes: [Int] = [1, 700, 3000]
    ) throws -> (file: [UInt8], content: [UInt8]) {
        let encoder = compression.encoder()
        let output = Buffer(capacity: 64)
        var content: [UInt8] = []
        for size in sizes {
            let part = history.bytes(UInt64(content.count), UInt64(content.count + size))
            encoder.encode(part.span.bytes, into: output)
            encoder.note(.history, [1, 2, 3, UInt8(truncatingIfNeeded: size)], into: output)
            content += part
        }
        return (output.array, content)
    }

    private func decode(
        _ compression: Compression, _ parts: [ArraySlice<UInt8>]
    ) throws -> (content: [UInt8], notes: Int, isWhole: Bool) {
        let decoder = compression.decoder()
        var content: [UInt8] = []
        var notes = 0
        for part in parts {
            let bytes = Array(part)
            var from = 0
            while from < bytes.count {
                let step = try decoder.decode(bytes.span.bytes.extracting(from..<bytes.count))
                from += step.consumed
                switch step.item {
                case .content: content += decoder.content.array
                case .note(let tag, let payload):
                    #expect(tag == .history && payload.count == 4)
                    notes += 1
                case nil: break
                }
            }
        }
        return (content, notes, decoder.isAtBoundary)
    }

    @Test(arguments: Compression.allCases)
    func `what was encoded comes back, however the input is split`(
        _ compression: Compression
    ) throws {
        let (file, content) = try sample(compression)
        for cut in 0...file.count {
            let whole = try decode(compression, [file[..<cut], file[cut...]])
            #expect(whole.content == content && whole.notes == 3 && whole.isWhole)
        }
        let bytewise = try decode(compression, file.indices.map { file[$0...$0] })
        #expect(bytewise.content == content && bytewise.notes == 3 && bytewise.isWhole)
    }

    @Test(arguments: Compression.allCases)
    func `a file cut short is not taken for whole`(_ compression: Compression) throws {
        let (file, content) = try sample(compression)
        for cut in 1..<file.count {
            let part = try decode(compression, [file[..<cut]])
            #expect(content.starts(with: part.content))
            #expect(!part.isWhole || part.content.count < content.count || part.notes < 3)
        }
    }

    @Test(arguments: Compression.allCases)
    func `one flipped bit anywhere never gives other bytes`(_ compression: Compression) throws {
        let (file, content) = try sample(compression)
        for bit in twoBits(ofEach: file.count) {
            var damaged = file
            damaged[bit / 8] ^= 1 << (bit % 8)
            do {
                let decoder = compression.decoder()
                var found: [UInt8] = []
                var from = 0
                while from < damaged.count {
                    let step = try decoder.decode(
                        damaged.span.bytes.extracting(from..<damaged.count))
                    from += step.consumed
                    if step.item == .content { found += decoder.content.array }
                }
                // A skipped length may swallow what follows; nothing else may come out.
                #expect(isSubsequence(found, of: content), "bit \(bit)")
            } catch {
                // Noticed.
                continue
            }
        }
    }

    /// Whether `found` is the content with whole frames left out.
    private func isSubsequence(_ found: [UInt8], of content: [UInt8]) -> Bool {
        var rest = found[...]
        for (from, to) in [(0, 1), (1, 701), (701, 3701)]
        where rest.starts(with: content[from..<to]) {
            rest = rest.dropFirst(to - from)
        }
        return rest.isEmpty
    }

    @Test(arguments: Compression.allCases)
    func `a whole mebibyte fits in a frame, compressible or not`(
        _ compression: Compression
    ) throws {
        var random = SeededRandom(seed: 3)
        for content in [random.bytes(1 << 20), [UInt8](repeating: 9, count: 1 << 20)] {
            let output = Buffer(capacity: 64)
            compression.encoder().encode(content.span.bytes, into: output)
            #expect(try decode(compression, [output.array[...]]).content == content)
        }
    }

    @Test func `a frame of more than a mebibyte is refused, not buffered`() throws {
        let output = Buffer(capacity: 64)
        let encoder = GzipMemberEncoder()
        encoder.encode([UInt8](repeating: 0, count: 1 << 20).span.bytes, into: output)
        // Two members, of which the first lacks its end, make one that is too long.
        let lz4 = try outside("lz4", ["-c", "-B7"], [UInt8](repeating: 1, count: (1 << 20) + 1))
        let gzip = try outside("gzip", ["-c"], [UInt8](repeating: 1, count: (1 << 20) + 1))
        #expect(throws: FrameDamage.self) { try decode(.lz4, [lz4[...]]) }
        #expect(throws: FrameDamage.self) { try decode(.gzip, [gzip[...]]) }
    }

    @Test func `files of the standard tools are read`() throws {
        let content = history.bytes(0, 200_000)
        let lz4 = try outside("lz4", ["-c", "-B4", "--no-frame-crc"], content)
        let gzip = try outside("gzip", ["-c"], content)
        #expect(try decode(.lz4, [lz4[...]]).content == content)
        #expect(try decode(.gzip, [gzip[...]]).content == content)
    }

    @Test(arguments: Compression.allCases)
    func `the standard tools read our files`(_ compression: Compression) async throws {
        try await offPool {
            let (file, content) = try sample(compression, [1, 70_000, 1 << 20, 300_000])
            let tool = compression == .lz4 ? "lz4" : "gzip"
            #expect(try outside(tool, ["-dc"], file) == content)
        }
    }

    @Test func `the first bytes tell the compression`() throws {
        #expect(try Compression(firstBytes: sample(.lz4).file) == .lz4)
        #expect(try Compression(firstBytes: sample(.gzip).file) == .gzip)
        #expect(Compression(firstBytes: [0x50, 0x2A, 0x4D, 0x18]) == .lz4)
        #expect(Compression(firstBytes: [0, 0, 0, 0]) == nil)
        #expect(Compression(firstBytes: [0x1F, 0x8B]) == nil)
        #expect(Compression(suffixOf: "a.gz") == .gzip && Compression(suffixOf: "a.zst") == nil)
    }
}

/// Runs a tool of the system on bytes; it has to succeed.
func outside(_ tool: String, _ arguments: [String], _ input: [UInt8]) throws -> [UInt8] {
    let options = SubprocessOptions(input: input, keptOutput: 256 << 20)
    let process = try Subprocess.run(tool, arguments, options, seconds: 60)
    guard process.status.isSuccess else {
        throw TidemarkError(.failed, "\(tool): \(process.status) \(process.errors)")
    }
    return process.outputBytes
}

/// Two bits of every byte, as bit numbers: all bits would take too long in a debug build.
func twoBits(ofEach bytes: Int) -> [Int] {
    var bits: [Int] = []
    for byte in 0..<bytes { bits += [byte * 8, byte * 8 + byte % 7 + 1] }
    return bits
}
