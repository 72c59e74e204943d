import Model
import TestKit
import Testing

@testable import Mongo

/// Whether the files in GridFS of a base backup are whole.
@Suite struct GridFSTests {
    private static let bucket = Namespace("files", "fs")

    private func backup(start: UInt64 = 5, end: UInt64 = 5) throws -> BaseBackupDescriptor {
        let files = ["files", "chunks"].map { kind in
            StoredFile(
                name: "files/fs.\(kind).bson.lz4", role: .data, origin: "files.fs.\(kind)",
                location: nil, bytes: 1, storedBytes: 1, storedSHA256: "")
        }
        return BaseBackupDescriptor(
            id: "b", source: try #require(SourceID("lessons")), kind: .mongodb,
            timeline: TimelineID("t"), start: start, end: end, started: CommitTime(microseconds: 0),
            finished: CommitTime(microseconds: 0), bytes: 1, storedBytes: 1, files: files,
            server: ServerFacts(identity: "i", version: "4.4.4"), warnings: [])
    }

    private func file(
        _ id: BSONValue, length: BSONValue, chunkSize: BSONValue = .int32(10), name: String = "x"
    ) -> BSONDocument {
        BSONDocument([
            ("_id", id), ("length", length), ("chunkSize", chunkSize), ("filename", .string(name)),
        ])
    }

    private func chunk(_ file: BSONValue, _ number: Int32, _ size: Int) -> BSONDocument {
        BSONDocument([
            ("_id", .int32(number)), ("files_id", file), ("n", .int32(number)),
            ("data", .binary([UInt8](repeating: 1, count: size))),
        ])
    }

    /// What is found in these documents; `oplog` was written while they were read.
    private func findings(
        _ files: [BSONDocument], _ chunks: [BSONDocument], oplog: [BSONDocument] = []
    ) throws -> [BaseBackupFinding] {
        let backup = try backup(end: oplog.isEmpty ? 5 : .max)
        let check = GridFSCheck(backup)
        for (stored, documents) in zip(backup.files, [files, chunks]) {
            let look = try #require(check.file(stored))
            let bytes = documents.flatMap(\.bytes)
            // In pieces that cut documents apart.
            for start in stride(from: 0, to: bytes.count, by: 7) {
                try look.take(Array(bytes[start..<min(bytes.count, start + 7)]).span.bytes)
            }
            try look.finish()
        }
        #expect(check.takesStream == !oplog.isEmpty)
        for entry in oplog { try check.stream(entry.bytes.span.bytes, at: 0) }
        return check.findings()
    }

    @Test func `whole files of any length are in order, and so are orphaned chunks`() throws {
        let one = BSONValue.int32(1)
        #expect(try findings([file(one, length: .int32(0))], []).isEmpty)
        #expect(try findings([file(one, length: .int64(10))], [chunk(one, 0, 10)]).isEmpty)
        #expect(
            try findings(
                [file(one, length: .double(25))],
                [chunk(one, 2, 5), chunk(one, 0, 10), chunk(.int32(9), 4, 3), chunk(one, 1, 10)]
            ).isEmpty)
        // The same file, whatever the type of the number.
        #expect(try findings([file(one, length: .int32(3))], [chunk(.double(1), 0, 3)]).isEmpty)
        // Something else that is called files.
        #expect(try findings([BSONDocument([("_id", one), ("length", .int32(9))])], []).isEmpty)
    }

    @Test func `missing, doubled, wrongly sized and further chunks are told with file and name`()
        throws
    {
        let id = BSONValue.string("a")
        let ten = (0..<3).map { chunk(id, $0, 10) }
        let cases: [(Int32, [BSONDocument], String)] = [
            (30, [], "3 of its 3 chunks are missing, the first is 0"),
            (30, [ten[0], ten[2]], "1 of its 3 chunks are missing, the first is 1"),
            (30, [ten[0], ten[1]], "1 of its 3 chunks are missing, the first is 2"),
            (30, ten + [ten[1]], "1 of its chunks are there twice"),
            (30, [ten[0], chunk(id, 1, 9), ten[2]], "chunk 1 has another size than 10 bytes"),
            (25, ten, "chunk 2 has another size than 5 bytes"),
            (20, ten, "1 chunks lie behind its end"),
            (20, [ten[0], ten[1], chunk(id, -1, 3)], "1 chunks lie behind its end"),
            (0, [ten[0]], "1 chunks lie behind its end"),
        ]
        for (length, chunks, told) in cases {
            let found = try findings(
                [file(id, length: .int32(length), name: "report.pdf")], chunks)
            #expect(found.map(\.kind) == [.incomplete], "\(told)")
            let what = found.first?.what ?? ""
            #expect(what.contains("\"report.pdf\"") && what.contains("_id: \"a\""), "\(what)")
            #expect(what.contains("files.fs") && what.contains(told), "\(what)")
        }
    }

    @Test func `many broken files are counted after the first few`() throws {
        let found = try findings((0..<50).map { file(.int32($0), length: .int32(5)) }, [])
        #expect(found.count == 21)
        #expect(found.last?.what.contains("30 more GridFS files") == true)
    }

    private func entry(_ op: String, _ collection: String, _ o: BSONDocument) -> BSONDocument {
        BSONDocument([
            ("op", .string(op)), ("ns", .string("files.\(collection)")), ("o", .document(o)),
            ("ts", .timestamp(OpTime(seconds: 9, increment: 1))), ("v", .int64(2)),
        ])
    }

    @Test func `a file that was touched while a fuzzy base was read is left out and told`() throws {
        let one = BSONValue.int32(1)
        let lost = [file(one, length: .int32(20)), file(.int32(2), length: .int32(20))]
        let chunks = [chunk(one, 0, 10), chunk(.int32(2), 0, 10)]
        for touching in [
            entry("i", "fs.files", lost[0]), entry("i", "fs.chunks", chunk(one, 1, 10)),
            entry("d", "fs.files", BSONDocument([("_id", one)])),
            entry(
                "c", "$cmd",
                BSONDocument([
                    (
                        "applyOps",
                        .array([.document(entry("i", "fs.chunks", chunk(one, 1, 10)))])
                    )
                ])),
        ] {
            let found = try findings(lost, chunks, oplog: [touching])
            #expect(found.map(\.kind) == [.incomplete, .unchecked])
            #expect(found[0].what.contains("_id: 2"))
            #expect(found[1].what.contains("1 GridFS files"))
        }
        // Of what is written elsewhere nothing depends.
        let other = try findings(lost, chunks, oplog: [entry("i", "docs.files", lost[0])])
        #expect(other.map(\.kind) == [.incomplete, .incomplete])
    }

    @Test func `nothing is said of a bucket whose collections were dropped or renamed meanwhile`()
        throws
    {
        let lost = [file(.int32(1), length: .int32(20))]
        for command in [
            ("drop", BSONValue.string("fs.chunks")), ("dropDatabase", .int32(1)),
            ("renameCollection", .string("files.fs.files")),
        ] {
            let o = BSONDocument([command, ("to", .string("files.old"))])
            let found = try findings(lost, [], oplog: [entry("c", "$cmd", o)])
            #expect(found.map(\.kind) == [.unchecked], "\(command.0)")
            #expect(found.first?.what.contains("the 1 GridFS files of files.fs") == true)
        }
    }

    @Test func `chunks that a fuzzy base has twice are the reading's doing`() throws {
        let one = BSONValue.int32(1)
        let files = [file(one, length: .int32(20))]
        let chunks = [chunk(one, 0, 10), chunk(one, 0, 10), chunk(one, 1, 10)]
        #expect(try findings(files, chunks).map(\.kind) == [.incomplete])
        #expect(try findings(files, chunks, oplog: [entry("n", "", .empty)]).isEmpty)
    }

    @Test func `nothing is said where one of the collections could not be read`() throws {
        let backup = try backup()
        let check = GridFSCheck(backup)
        let look = try #require(check.file(backup.files[0]))
        try look.take(file(.int32(1), length: .int32(20)).bytes.span.bytes)
        try look.finish()
        #expect(check.findings().isEmpty)
    }

    @Test func `the recorded file is whole, and a chunk taken out of it is missed`() async throws {
        try await offPool {
            let base = try MongoFixture("shop").base()
            func documents(_ name: String) throws -> [BSONDocument] {
                try #require(base.first { $0.namespace == Namespace("files", name) }).documents
            }
            let files = try documents("fs.files")
            let chunks = try documents("fs.chunks")
            #expect(try findings(files, chunks).isEmpty)
            for place in chunks.indices {
                var damaged = chunks
                damaged.remove(at: place)
                let found = try findings(files, damaged)
                #expect(found.count == 1)
                #expect(found.first?.what.contains("the first is \(place)") == true)
            }
        }
    }
}
