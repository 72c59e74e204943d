/// Puts the parts of an event together that the server split because it is larger than a document
/// may be: each part has fields of the whole, its own `_id`, and `splitEvent`.
struct EventAssembler {
    private var parts: BSONWriter?
    private var next = 1

    /// The whole event, or an entry as it is; nil while parts are missing.
    mutating func take(_ document: BSONDocument) throws(BSONFailure) -> BSONDocument? {
        guard let split = document["splitEvent"]?.document else { return document }
        let part = try SplitEvent(split.bytes.span, at: 0)
        if part.count == 1 { return document }
        guard part.number == next else {
            throw BSONFailure("part \(part.number) of an event comes where \(next) should", at: 0)
        }
        var writer = parts ?? BSONWriter()
        for field in document.fields
        where field.name != "splitEvent" && (part.number == 1 || field.name != "_id") {
            writer.append(field.rawName, field.value)
        }
        guard part.number == part.count else {
            parts = writer
            next += 1
            return nil
        }
        parts = nil
        next = 1
        return writer.finish()
    }
}
