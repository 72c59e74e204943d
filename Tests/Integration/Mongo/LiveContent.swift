import Model
import TestKit

/// Everything that a live server has, as text: two servers with the same have the same text.
struct LiveContent: Hashable {
    private let lines: [String]

    /// A line for each collection: its options, its indexes, how many documents, and their hash in
    /// the order of `_id`, of capped collections in their own.
    init(_ server: any LiveMongo) throws {
        lines = try server.run(
            """
            import hashlib
            from bson.json_util import dumps
            from bson.raw_bson import RawBSONDocument
            options = bson.codec_options.CodecOptions(document_class=RawBSONDocument)
            for database in sorted(client.list_database_names()):
                if database in ("admin", "local", "config"): continue
                for facts in sorted(client[database].list_collections(), key=lambda c: c["name"]):
                    told = {k: v for k, v in sorted(facts.get("options", {}).items())}
                    place = client[database].get_collection(facts["name"], options)
                    order = "$natural" if told.get("capped") else "_id"
                    indexes = sorted(dumps(dict(index)) for index in place.list_indexes())
                    hash, count = hashlib.sha256(), 0
                    for document in place.find({}).sort(order, 1):
                        hash.update(document.raw)
                        count += 1
                    print(database + "." + facts["name"], dumps(told), *indexes, count,
                        hash.hexdigest())
            """
        ).split(separator: "\n").map(String.init)
    }

    /// Whether there is a collection of this full name.
    func has(_ namespace: String) -> Bool { lines.contains { $0.hasPrefix(namespace + " ") } }
}

extension LiveContent: CustomStringConvertible {
    var description: String { lines.joined(separator: "\n") }
}
