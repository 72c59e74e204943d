import Crypto
import FoundationEssentials
import Model
import Mongo
import Platform
import TestKit
import Testing

/// What a live server has, asked by the official driver, beside what a real one was recorded to
/// have.
struct LiveState {
    private let collections: [String: BSONDocument]
    private let documents: [String: [BSONDocument]]
    private let limits: Limits

    /// Reads everything but the server's own databases.
    init(_ server: any LiveMongo) throws {
        limits = server is SecantusServer ? .secantus : .none
        let scratch = try ScratchDirectory()
        let text = try server.run(
            """
            import json, os
            from bson.json_util import dumps, CANONICAL_JSON_OPTIONS
            from bson.raw_bson import RawBSONDocument
            options = bson.codec_options.CodecOptions(document_class=RawBSONDocument)
            told = {}
            for database in sorted(client.list_database_names()):
                if database in ("local", "config"): continue
                for facts in list(client[database].list_collections()):
                    name = facts["name"]
                    if name.startswith("system.") and database != "admin": continue
                    entry = {"type": facts["type"], "options": dict(facts.get("options", {}))}
                    if facts["type"] == "collection":
                        entry["indexes"] = [dict(x) for x in client[database][name].list_indexes()]
                        entry["file"] = str(len(told))
                        with open("\(scratch.path)/" + entry["file"], "wb") as file:
                            found = client[database].get_collection(name, options)
                            for document in found.find({}).sort("$natural", 1):
                                file.write(document.raw)
                    told[database + "." + name] = entry
            print(dumps({"told": told}, json_options=CANONICAL_JSON_OPTIONS))
            """)
        let told = try ExtendedJSON.parse(Array(text.utf8), "what the server told")
        var collections: [String: BSONDocument] = [:]
        var documents: [String: [BSONDocument]] = [:]
        for field in told["told"]?.document?.fields ?? [] {
            guard let facts = field.value.document else { continue }
            collections[field.name] = facts
            guard let file = facts["file"]?.string else { continue }
            let bytes = try Data(contentsOf: URL(filePath: "\(scratch.path)/\(file)"))
            documents[field.name] = try MongoFixture.documents(Array(bytes)).map {
                try BSONDocument($0)
            }
        }
        self.collections = collections
        self.documents = documents
    }

    /// The same of a double, asked by nobody.
    init(_ double: MongoDouble) {
        limits = .none
        let all = double.state.read { $0.collections }
        var collections: [String: BSONDocument] = [:]
        var documents: [String: [BSONDocument]] = [:]
        for (namespace, stored) in all {
            let isOwn = namespace.collection.hasPrefix("system.") && namespace.database != "admin"
            if isOwn || ["local", "config"].contains(namespace.database) { continue }
            collections[namespace.description] = BSONDocument([
                ("type", .string(stored.type)), ("options", .document(stored.options)),
                ("indexes", .array(stored.indexes.map { .document($0) })),
            ])
            documents[namespace.description] = stored.documents
        }
        self.collections = collections
        self.documents = documents
    }

    var names: Set<String> { Set(collections.keys) }

    /// Compares collection by collection: raw documents, options, indexes. Users and roles are no
    /// part of it.
    func compare(_ cut: MongoFixture.Cut, _ what: String) {
        let wanted = cut.collections.filter {
            !$0.key.hasPrefix("admin.") && !$0.key.hasSuffix(".system.views")
        }
        let own = names.filter { !$0.hasPrefix("admin.") }
        #expect(own == Set(wanted.keys), "\(what)")
        for (name, facts) in wanted {
            guard let found = collections[name] else { continue }
            let options = facts["options"]?.document ?? .empty
            let isRenamed = limits.renamed.contains(name) && cut.name != "updates"
            if !isRenamed {
                #expect(
                    sorted(found["options"]?.document ?? .empty) == sorted(options),
                    "\(what): options of \(name)")
            }
            if facts["type"]?.string == "view" { continue }
            var stored = documents[name] ?? []
            if let most = options["max"]?.integer { stored = stored.suffix(Int(most)) }
            #expect(stored.count == Int(facts["count"]!.integer!), "\(what): \(name)")
            #expect(
                Self.hash(
                    stored.sorted { Self.id($0).lexicographicallyPrecedes(Self.id($1)) })
                    == facts["sha256_raw_sorted_by_id"]?.string, "\(what): \(name)")
            if options["capped"]?.isTrue == true {
                #expect(
                    Self.hash(stored) == facts["sha256_natural_order"]?.string,
                    "\(what): \(name) in its order")
            }
            #expect(indexes(found) == indexes(facts), "\(what): indexes of \(name)")
        }
    }

    /// What SecantusDB 0.7 does not do, and says or loses; all else is compared.
    private struct Limits {
        /// `renameCollection` loses the options, and a conversion to a capped collection is one.
        var renamed: Set<String> = []
        /// Kinds of indexes that are refused.
        var refused: Set<String> = []

        static let none = Limits()
        static let secantus = Limits(renamed: ["shop.checked"], refused: ["text", "hashed"])
    }

    private func indexes(_ facts: BSONDocument) -> Set<String> {
        let all = (facts["indexes"]?.elements ?? []).compactMap(\.document)
        let known = all.filter { index in
            !(index["key"]?.document?.fields ?? []).contains {
                limits.refused.contains($0.value.string ?? "")
                    || (!limits.refused.isEmpty && $0.name == "_fts")
            }
        }
        // That of `_id` is told without the collection's collation.
        return Set(
            known.map { index in
                sorted(index["name"]?.string == "_id_" ? index.without(["collation"]) : index)
            })
    }

    private static func id(_ document: BSONDocument) -> [UInt8] {
        BSONDocument([("_id", document["_id"] ?? .null)]).bytes
    }

    private static func hash(_ documents: [BSONDocument]) -> String {
        var hash = SHA256()
        for document in documents { hash.update(data: document.bytes) }
        return hash.finalize().map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }

    /// Fields by name at every depth, so that their order does not count; numbers by value.
    private func sorted(_ document: BSONDocument) -> String {
        "{"
            + document.fields.map { field in
                let inner = field.value.document.map(sorted)
                let number = field.value.integer.map { String($0) }
                return field.name + ":"
                    + (inner ?? number ?? String(describing: field.value))
            }.sorted().joined(separator: ",") + "}"
    }
}
