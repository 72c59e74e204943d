import Model
package import Mongo
import Platform

/// A folder of `Fixtures/mongodb`: base, oplog and what a real server had at each cut.
package struct MongoFixture: Sendable {
    /// A recorded state.
    package struct Cut: Sendable {
        package var name: String
        package var ts: OpTime
        package var collections: [String: BSONDocument]
    }

    package let name: String
    package let begin: OpTime
    package let end: OpTime

    package init(_ name: String) throws {
        self.name = name
        let base = try ExtendedJSON.parse(Self.bytes("\(name)/base.json"), "base.json")
        begin = try Self.time(base["begin"])
        end = try Self.time(base["end"])
    }

    package var isExact: Bool { begin == end }

    /// Raw entries, the first of which is the one before the replay.
    package func oplog() throws -> [[UInt8]] {
        let content = try Self.bytes("\(name)/oplog.bson.gz")
        return try Self.documents(content)
    }

    /// What a change stream on the whole deployment told of the same time.
    package func changes() throws -> [[UInt8]] {
        try Self.documents(Self.bytes("\(name)/changestream.bson.gz"))
    }

    /// The recorded states, oldest first.
    package func cuts() throws -> [Cut] {
        let text =
            "{\"cuts\":" + String(decoding: try Self.bytes("\(name)/cuts.json"), as: UTF8.self)
            + "}"
        let parsed = try ExtendedJSON.parse(Array(text.utf8), "cuts.json")
        return try (parsed["cuts"]?.elements ?? []).compactMap(\.document).map { cut in
            Cut(
                name: cut["name"]?.string ?? "", ts: try Self.time(cut["ts"]),
                collections: Dictionary(
                    uniqueKeysWithValues: (cut["collections"]?.document?.fields ?? []).compactMap {
                        field in field.value.document.map { (field.name, $0) }
                    }))
        }
    }

    /// The base as mongodump wrote it: what each metadata file says, and the documents.
    package func base() throws -> [(
        namespace: Namespace, metadata: BSONDocument, documents: [BSONDocument]
    )] {
        let root = Self.root + name + "/base"
        var result: [(Namespace, BSONDocument, [BSONDocument])] = []
        for database in try Directory.names(in: root).sorted() {
            for file in try Directory.names(in: "\(root)/\(database)").sorted() {
                let suffix = ".metadata.json"
                guard file.hasSuffix(suffix) else { continue }
                let collection = String(file.dropLast(suffix.count))
                let place = "\(name)/base/\(database)/\(collection)"
                let metadata = try ExtendedJSON.parse(Self.bytes(place + suffix), file)
                let names = try Directory.names(in: "\(root)/\(database)")
                let data = [".bson", ".bson.gz"].map { collection + $0 }.first {
                    names.contains($0)
                }
                let content =
                    try data.map { try Self.bytes("\(name)/base/\(database)/\($0)") } ?? []
                result.append(
                    (
                        Namespace(database, collection), metadata,
                        try Self.documents(content).map { try BSONDocument($0) }
                    ))
            }
        }
        return result
    }

    /// Documents that lie one behind the other.
    package static func documents(_ content: [UInt8]) throws -> [[UInt8]] {
        var documents: [[UInt8]] = []
        var offset = 0
        while offset < content.count {
            let head = content[offset..<offset + 4]
            let length = head.reversed().reduce(0) { $0 << 8 | Int($1) }
            documents.append(Array(content[offset..<offset + length]))
            offset += length
        }
        return documents
    }

    private static func time(_ value: BSONValue?) throws -> OpTime {
        let parts = value?.elements?.compactMap(\.integer) ?? []
        guard parts.count == 2 else { throw TidemarkError(.failed, "no optime in a fixture") }
        return OpTime(seconds: UInt32(parts[0]), increment: UInt32(parts[1]))
    }

    /// The sources' root, found from this file.
    private static let root: String = {
        let parts = #filePath.split(separator: "/").dropLast(4)
        return "/" + parts.joined(separator: "/") + "/Fixtures/mongodb/"
    }()

    private static func bytes(_ path: String) throws -> [UInt8] {
        guard path.hasSuffix(".gz") else { return try read(root + path) }
        let scratch = try ScratchDirectory()
        let plain = scratch.path + "/plain"
        let tool = try Subprocess.run(
            "gzip", ["-dc", root + path], SubprocessOptions(outputFile: plain), seconds: 60)
        guard tool.status == .exited(0) else {
            throw TidemarkError(.failed, "gzip: \(tool.errors)")
        }
        return try read(plain)
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let file = try File(path, .reading)
        var bytes: [UInt8] = []
        while true {
            let more = try file.read(at: UInt64(bytes.count), 1 << 20)
            if more.isEmpty { return bytes }
            bytes += more
        }
    }
}
