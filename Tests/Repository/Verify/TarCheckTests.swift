import Testing

@testable import Repository

struct TarCheckTests {
    private static let tar = SmallTar.make([
        ("backup_label", Array("START".utf8)), ("empty", []),
        ("full", [UInt8](repeating: 1, count: 1024)), ("last", [9]),
    ])

    private func check(_ tar: [UInt8], step: Int = .max) -> TarCheck {
        var check = TarCheck()
        var rest = tar[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(step))
            check.take(part.span.bytes)
            rest = rest.dropFirst(part.count)
        }
        check.finish()
        return check
    }

    @Test(arguments: [1, 7, 511, 512, 513, 100_000])
    func `a whole tar is right, however it is split`(_ step: Int) {
        let check = check(Self.tar, step: step)
        #expect(check.damage == nil)
        #expect(check.members == 4)
    }

    @Test func `a tar cut anywhere is damaged`() {
        let edges = stride(from: 0, to: Self.tar.count, by: 512).flatMap { [$0, $0 + 1, $0 + 511] }
        for count in edges + stride(from: 0, to: Self.tar.count, by: 101) {
            #expect(check(Array(Self.tar.prefix(count))).damage != nil, "\(count) bytes")
        }
    }

    @Test func `where the end may be missing a cut is found all the same`() {
        func damage(_ count: Int) -> String? {
            var check = TarCheck(mayLackEnd: true)
            check.take(Array(Self.tar.prefix(count)).span.bytes)
            check.finish()
            return check.damage
        }
        let whole = Self.tar.count - 1024
        #expect(damage(whole) == nil && damage(Self.tar.count) == nil)
        for count in [0, 511, 513, whole - 1, whole + 1, whole + 512] {
            #expect(damage(count) != nil, "\(count) bytes")
        }
    }

    @Test func `a flipped bit in a header is found`() {
        for place in 0..<512 {
            var tar = Self.tar
            tar[place] ^= 1
            // The checksum is octal text, which tolerates another filler behind its digits.
            if (154..<156).contains(place) { continue }
            #expect(check(tar).damage != nil, "byte \(place)")
        }
    }

    @Test func `only zeros may follow the end`() {
        #expect(check(Self.tar + [UInt8](repeating: 0, count: 8192)).damage == nil)
        let more = check(Self.tar + SmallTar.header("late", 0))
        #expect(more.damage?.contains("follows the end") == true)
    }

    @Test func `a size beyond octal is read in base 256, and never overflows`() {
        var header = SmallTar.header("big", 0)
        header.replaceSubrange(124..<136, with: [0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0])
        #expect(check(Self.summed(header)).damage == "the tar ends inside a member")
        header.replaceSubrange(124..<136, with: [UInt8](repeating: 0xFF, count: 12))
        #expect(check(Self.summed(header)).damage?.contains("no tar header") == true)
        header.replaceSubrange(
            124..<136, with: [0x80, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 8))
        #expect(check(Self.summed(header)).damage?.contains("no tar header") == true)
    }

    /// The header with its checksum made right again.
    private static func summed(_ header: [UInt8]) -> [UInt8] {
        var header = header
        header.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        let digits = String(repeating: "0", count: 6 - sum.count) + sum
        header.replaceSubrange(148..<154, with: Array(digits.utf8))
        header[154] = 0
        return header
    }
}
