import Mongo

/// Tokens that stand for a time and no event, as the server writes them.
enum ResumeTokenText {
    static func token(_ time: OpTime) -> BSONDocument {
        let digits = String(time.ordinal, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: 16 - digits.count) + digits
        return BSONDocument([("_data", .string("82\(padded)2B0229296E04"))])
    }

    static func time(_ token: BSONDocument) -> OpTime? {
        let data = token["_data"]?.string ?? ""
        guard data.hasPrefix("82"), data.utf8.count >= 18 else { return nil }
        return UInt64(data.dropFirst(2).prefix(16), radix: 16).map { OpTime(ordinal: $0) }
    }
}
