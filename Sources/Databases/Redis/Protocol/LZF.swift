/// LZF, the compression of strings in an RDB (Redis's `lzf_d.c`).
///
/// A byte below 32 is followed by that many literal bytes and one more. Others are references:
/// three bits of length (seven: a further byte adds to it), thirteen bits of distance.
enum LZF {
    /// Nil unless exactly `length` bytes come out.
    static func decompress(_ bytes: [UInt8], length: Int) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(min(length, 1 << 20))
        var i = 0
        while i < bytes.count {
            let control = Int(bytes[i])
            i += 1
            if control < 32 {
                guard i + control < bytes.count, out.count + control < length else { return nil }
                out += bytes[i...i + control]
                i += control + 1
                continue
            }
            var count = control >> 5
            if count == 7 {
                guard i < bytes.count else { return nil }
                count += Int(bytes[i])
                i += 1
            }
            guard i < bytes.count else { return nil }
            let distance = (control & 31) << 8 | Int(bytes[i])
            i += 1
            let start = out.count - distance - 1
            guard start >= 0, out.count + count + 2 <= length else { return nil }
            // May overlap with what it writes, so byte by byte.
            for index in 0..<count + 2 { out.append(out[start + index]) }
        }
        return out.count == length ? out : nil
    }
}
