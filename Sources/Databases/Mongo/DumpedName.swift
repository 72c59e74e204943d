/// The file name of a collection, which may be longer than a file system takes once it is escaped:
/// a name of thirty Chinese characters has 270.
///
/// mongodump cuts what is longer than 238: 208 of them, `%24` and a hash. mongorestore knows such
/// a name by its length of 238 and `%24`, which stands for a dollar and is in no collection's name,
/// and then reads the `collectionName` of the metadata; what the hash is makes no difference. In an
/// archive, where `.lz4` follows, 238 are one too many: names are cut shorter there, and made up to
/// 238 in a dump.
struct DumpedName: Hashable, Sendable {
    let archived: String

    /// With `.metadata.json.lz4` a file name has 255.
    private static let most = 237
    private static let kept = 180
    private static let mark = "%24"
    private static let digits = 32
    private static let dumped = 238

    /// - Parameter escaped: ASCII alone.
    init(_ escaped: String, of collection: String) {
        guard escaped.utf8.count > Self.most else {
            archived = escaped
            return
        }
        archived = escaped.prefix(Self.kept) + Self.mark + Self.hash(collection)
    }

    /// Of a name in an archive, that in a dump for the official tools.
    static func dumped(_ archived: String) -> String {
        let tail = archived.utf8.suffix(mark.utf8.count + digits)
        guard archived.utf8.count == kept + mark.utf8.count + digits,
            tail.starts(with: mark.utf8)
        else { return archived }
        return archived + String(repeating: "0", count: dumped - archived.utf8.count)
    }

    /// FNV-1a over 64 bits, from two beginnings: names of one database are told apart, no more.
    private static func hash(_ text: String) -> String {
        let basis: UInt64 = 0xCBF2_9CE4_8422_2325
        return [basis, ~basis].map { start in
            let value = text.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
