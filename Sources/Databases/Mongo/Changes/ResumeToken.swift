/// Where a change stream can go on: `_id` of each event, and `postBatchResumeToken` of each answer.
enum ResumeToken {
    /// The cluster time that a token stands for; nil where it is not one that can be read.
    ///
    /// `{_data: "82" seconds increment …}` in hexadecimal: a key string that begins with a
    /// timestamp (`ResumeToken::makeKeyStringToken`, key_string.cpp: `kTimestamp` is 130).
    static func time(_ token: BSONDocument?) -> OpTime? {
        guard let data = token?["_data"]?.string, data.utf8.count >= 18, data.hasPrefix("82"),
            let ordinal = UInt64(data.dropFirst(2).prefix(16), radix: 16)
        else { return nil }
        return OpTime(ordinal: ordinal)
    }
}
