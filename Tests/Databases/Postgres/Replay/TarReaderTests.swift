import Model
@testable import Postgres
import Testing

@Suite struct `A tar archive` {
    private final class Recorder: TarSink {
        var members: [TarMember] = []
        var contents: [[UInt8]] = []
        var ends = 0

        func begin(_ member: TarMember) throws(TidemarkError) {
            members.append(member)
            contents.append([])
        }

        func content(_ bytes: RawSpan) throws(TidemarkError) {
            bytes.withUnsafeBytes { contents[contents.count - 1].append(contentsOf: $0) }
        }

        func end() throws(TidemarkError) { ends += 1 }
    }

    /// A header as Postgres makes it, with the right checksum.
    private func header(_ name: String, _ type: Character, _ size: Int, link: String = "")
        -> [UInt8]
    {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ place: Int) {
            for (index, byte) in text.utf8.enumerated() { block[place + index] = byte }
        }
        put(name, 0)
        put(octal(size, 11), 124)
        put(String(type), 156)
        put(link, 157)
        put("ustar", 257)
        for place in 148..<156 { block[place] = 32 }
        put(octal(block.reduce(0) { $0 + Int($1) }, 6) + "\0", 148)
        return block
    }

    private func octal(_ value: Int, _ width: Int) -> String {
        let digits = String(value, radix: 8)
        return String(repeating: "0", count: width - digits.count) + digits
    }

    private func padded(_ content: [UInt8]) -> [UInt8] {
        content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    private var sample: [UInt8] {
        let long = "base/" + String(repeating: "x", count: 120)
        return header("backup_label", "0", 3) + padded([1, 2, 3])
            + header("global/", "5", 0) + header("pg_tblspc/16385", "2", 0, link: "/mnt/fast")
            + header("././@LongLink", "L", long.utf8.count + 1) + padded(Array(long.utf8) + [0])
            + header("base/xxx", "0", 600) + padded([UInt8](repeating: 7, count: 600))
            + header("pax", "x", 16) + padded(Array("16 path=p/other\n".utf8))
            + header("ignored", "0", 0) + [UInt8](repeating: 0, count: 1024)
    }

    @Test func `is read the same however it is cut`() throws {
        let bytes = sample
        for step in [1, 7, 511, 512, 513, bytes.count] {
            let recorder = Recorder()
            var reader = TarReader()
            for start in stride(from: 0, to: bytes.count, by: step) {
                let piece = Array(bytes[start..<min(start + step, bytes.count)])
                try reader.take(piece.span.bytes, into: recorder)
            }
            try reader.finish()
            #expect(
                recorder.members.map(\.path) == [
                    "backup_label", "global", "pg_tblspc/16385",
                    "base/" + String(repeating: "x", count: 120), "p/other",
                ])
            #expect(recorder.members[2].kind == .link(target: "/mnt/fast"))
            #expect(recorder.contents.map(\.count) == [3, 0, 0, 600, 0])
            #expect(recorder.ends == 5)
        }
    }

    @Test func `may end without the blocks of zeros, but not inside a file`() throws {
        let whole = header("a", "0", 512) + [UInt8](repeating: 1, count: 512)
        for (count, isWhole) in [(1024, true), (1023, false), (512, false), (100, false)] {
            var reader = TarReader()
            try reader.take(Array(whole[..<count]).span.bytes, into: Recorder())
            let isAccepted = (try? reader.finish()) != nil
            #expect(isAccepted == isWhole)
        }
    }

    @Test func `is damaged when a header is, or when a name climbs out`() {
        var flipped = header("a", "0", 1)
        flipped[0] ^= 1
        for block in [flipped, header("../a", "0", 1), header("/etc/passwd", "0", 1)] {
            var reader = TarReader()
            #expect(throws: TidemarkError.self) {
                try reader.take(block.span.bytes, into: Recorder())
            }
        }
    }
}
