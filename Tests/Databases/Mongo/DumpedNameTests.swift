import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Collections whose names are longer than a file's may be.
@Suite struct DumpedNameTests {
    private static let long = String(repeating: "\u{6F22}", count: 60)

    private func fileName(_ collection: String) -> String {
        DumpedCollection(
            namespace: Namespace("db", collection), type: "collection", options: .empty, uuid: nil
        ).fileName
    }

    @Test func `a name that fits is kept, and a longer one is cut and told apart`() {
        #expect(fileName("orders") == "db/orders")
        let fitting = String(repeating: "a", count: 237)
        #expect(fileName(fitting) == "db/" + fitting)
        let names = [fitting + "a", Self.long, Self.long + "1", Self.long + "2"].map(fileName)
        #expect(Set(names).count == names.count)
        for name in names {
            let file = name.dropFirst("db/".count)
            #expect((file + ".metadata.json.lz4").utf8.count <= 255, "\(file)")
            // mongorestore's signs of a name that was cut.
            let dumped = DumpedName.dumped(String(file))
            #expect(dumped.utf8.count == 238 && dumped.contains("%24"), "\(dumped)")
            #expect((dumped + ".metadata.json").utf8.count <= 255)
        }
        for name in ["orders", fitting, "a%2Fb"] { #expect(DumpedName.dumped(name) == name) }
    }

    @Test func `a collection may be called like another one's metadata`() {
        let names = ["shop/a.metadata.json", "shop/a.metadata.json.bson", "shop/b.bson.bson"]
        for name in names {
            for suffix in ["", ".lz4", ".gz"] {
                let file = StoredFile(
                    name: name + suffix, role: .data, origin: nil, location: nil, bytes: 1,
                    storedBytes: 1, storedSHA256: "")
                #expect(file.plainDumpName == name, "\(file.name)")
            }
        }
    }

    @Test func `a base backup has both of two names that only Swift takes for equal`()
        async throws
    {
        try await offPool {
            let use = try DoubleUse(version: "6.0.5")
            let document = BSONDocument([("_id", .int32(1))])
            let places = ["caf\u{E9}", "cafe\u{301}"].map { Namespace("db", $0) }
            for place in places { try use.insert([document], into: place) }
            use.double.state.update { $0.frozen = $0.collections }
            let base = try BaseBackupRun(use.double.url)
            let restore = CopyRun(base: base, entries: [], version: "6.0.5")
            let target = try DoubleUse(version: "6.0.5")
            try restore.run(server: target.double.url)
            for place in places { #expect(target.documents(place) == [document]) }
        }
    }

    @Test func `a collection with a long name comes into a folder and into a server`()
        async throws
    {
        try await offPool {
            let use = try DoubleUse(version: "6.0.5")
            let document = BSONDocument([("_id", .int32(1))])
            let place = Namespace("db", Self.long)
            try use.insert([document], into: place)
            use.double.state.update { $0.frozen = $0.collections }
            let base = try BaseBackupRun(use.double.url)
            let restore = CopyRun(base: base, entries: [], version: "6.0.5")
            let folder = try ScratchDirectory()
            try restore.run(folder: folder.path + "/dump")
            let names = try Directory.names(in: folder.path + "/dump/db")
            #expect(names.count == 2)
            let metadata = try #require(names.first { $0.hasSuffix(".metadata.json") })
            let data = metadata.dropLast(".metadata.json".count)
            #expect(data.utf8.count == 238 && names.contains(data + ".bson"))
            let content = try File(folder.path + "/dump/db/" + metadata, .reading)
                .read(at: 0, 1 << 16)
            let told = try ExtendedJSON.parse(content, metadata)
            #expect(told["collectionName"]?.string == Self.long)
            let target = try DoubleUse(version: "6.0.5")
            try restore.run(server: target.double.url)
            #expect(target.documents(place) == [document])
        }
    }
}
