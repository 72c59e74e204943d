private import CPlatform
import Glibc

/// What other users of the machine see of this process (`ps`, `/proc/PID/cmdline`).
package enum ProcessTitle {
    /// Overwrites the passwords of URLs among the arguments with `x`.
    ///
    /// Call it once, early, after the arguments were copied and before there are other threads.
    package static func hideSecrets() {
        var index: Int32 = 1
        while let argument = unsafe tm_argument(index) {
            let bytes = unsafe UnsafeMutableBufferPointer(start: argument, count: strlen(argument))
            for range in unsafe secretRanges(bytes.map { UInt8(bitPattern: $0) }) {
                for place in range { unsafe bytes[place] = CChar(UInt8(ascii: "x")) }
            }
            index += 1
        }
    }

    /// Where the password of a URL lies, in its user information or its query.
    package static func secretRanges(_ bytes: [UInt8]) -> [Range<Int>] {
        guard let mark = find("://", in: bytes, from: 0) else { return [] }
        var ranges: [Range<Int>] = []
        let ends = Array("/?#".utf8)
        let end = bytes[(mark + 3)...].firstIndex(where: ends.contains) ?? bytes.count
        let authority = bytes[(mark + 3)..<end]
        if let at = authority.lastIndex(of: UInt8(ascii: "@")),
            let colon = authority[..<at].firstIndex(of: UInt8(ascii: ":"))
        {
            ranges.append((colon + 1)..<at)
        }
        var start = end
        while let equals = find("password=", in: bytes, from: start) {
            let value = equals + "password=".utf8.count
            let stop = bytes[value...].firstIndex(of: UInt8(ascii: "&")) ?? bytes.count
            ranges.append(value..<stop)
            start = stop
        }
        return ranges
    }

    private static func find(_ text: String, in bytes: [UInt8], from start: Int) -> Int? {
        let wanted = Array(text.utf8)
        guard bytes.count - start >= wanted.count else { return nil }
        return (start...(bytes.count - wanted.count)).first {
            bytes[$0..<($0 + wanted.count)].elementsEqual(wanted)
        }
    }
}
