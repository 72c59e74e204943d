/// Writes tars as Postgres does: ustar headers, two blocks of zeros at the end.
enum SmallTar {
    static func make(_ members: [(name: String, content: [UInt8])]) -> [UInt8] {
        var tar: [UInt8] = []
        for member in members {
            tar += header(member.name, member.content.count) + member.content
            tar += [UInt8](repeating: 0, count: (512 - member.content.count % 512) % 512)
        }
        return tar + [UInt8](repeating: 0, count: 1024)
    }

    static func header(_ name: String, _ size: Int) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        block.replaceSubrange(0..<name.utf8.count, with: Array(name.utf8))
        put("0000600", 100, &block)
        put(octal(size, 11), 124, &block)
        block[156] = UInt8(ascii: "0")
        put("ustar", 257, &block)
        put("00", 263, &block)
        put("        ", 148, &block)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6) + "\0 ", 148, &block)
        return block
    }

    private static func put(_ text: String, _ offset: Int, _ block: inout [UInt8]) {
        let bytes = Array(text.utf8)
        block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    private static func octal(_ value: Int, _ width: Int) -> String {
        let digits = String(value, radix: 8)
        return String(repeating: "0", count: width - digits.count) + digits
    }
}
