import Model
import Mongo
import Platform
import TestKit
import Testing

/// Archives that lack something, hold what nobody knows, or are damaged: what a restore makes of
/// them, and its exit status.
struct DamagedRestoreTests {
    /// An archive of the recorded shop and an exact base; its sidecar has ended.
    ///
    /// - Parameter change: of what the server has, before it is archived.
    private static func archived(
        _ change: @Sendable (inout MongoDoubleState) throws -> Void
    ) throws -> ArchiveHarness {
        let harness = try ArchiveHarness("shop")
        try harness.double.state.update { state in
            // From this on reads are of one moment.
            state.wireVersion = 17
            try change(&state)
            state.frozen = state.collections
        }
        let sidecar = try harness.startWithBackup()
        harness.double.writeAll()
        try harness.waitArchived()
        #expect(try sidecar.terminate().isSuccess)
        return harness
    }

    /// The first document of the base that an entry changes in place, and that entry.
    private static func changed(
        _ fixture: MongoFixture
    ) throws -> (namespace: Namespace, id: BSONValue) {
        for bytes in try fixture.oplog() {
            let entry = try BSONDocument(bytes)
            guard entry["op"]?.string == "u", entry["o"]?.document?["$v"] != nil,
                let namespace = entry["ns"]?.string.flatMap({ Namespace($0) }),
                let id = entry["o2"]?.document?["_id"],
                try fixture.base().contains(where: { base in
                    base.namespace == namespace && base.documents.contains { $0["_id"] == id }
                })
            else { continue }
            return (namespace, id)
        }
        throw TidemarkError(.failed, "no recorded entry changes a document of the base")
    }

    @Test(arguments: LiveMongoKind.targets)
    func `updates that meet no document of an exact base end the restore with status 4`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let whole = try MongoFixture("shop")
            let (namespace, id) = try Self.changed(whole)
            let harness = try Self.archived { state in
                state.collections[namespace]?.documents.removeAll { $0["_id"] == id }
            }
            let server = try kind.start()
            let into = ["--into", "lessons=" + server.url]
            let said = try harness.expect(4, ["restore", "--to", "latest"] + into)
            #expect(said.contains("updates or deletions met no document"), "\(said)")
            #expect(said.contains("the first: \(namespace) {_id: "), "\(said)")
            #expect(said.contains("the copy of lessons is not what the source had"), "\(said)")
            // Everything else is there, and nothing that tells of a restore.
            #expect(said.contains("replayed"))
            let told = try server.run(
                """
                names = client.list_database_names()
                print("tidemark_restore" in names, client.shop.victim.count_documents({}) > 0)
                """)
            let cut = try #require(try whole.cuts().last)
            let hasVictim = (cut.collections["shop.victim"]?["count"]?.integer ?? 0) > 0
            #expect(told == "False \(hasVictim ? "True" : "False")")
        }
    }

    @Test(arguments: LiveMongoKind.targets)
    func `an entry that nobody knows ends the restore, which goes on to a nearer target`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try Self.archived { state in
                let last = try BSONDocument(#require(state.entries.last).bytes)
                let ts = try #require(last["ts"]?.timestamp)
                let unheard = BSONDocument([("createUnheardOf", .string("what it has"))])
                let entry = last.setting("op", .string("c")).setting("ns", .string("shop.$cmd"))
                    .setting("o", .document(unheard))
                    .setting("ts", .timestamp(OpTime(seconds: ts.seconds + 1, increment: 1)))
                state.add(entry.bytes)
            }
            let server = try kind.start()
            let into = ["--into", "lessons=" + server.url]
            let said = try harness.expect(1, ["restore", "--to", "latest"] + into)
            #expect(said.contains("the command createUnheardOf"), "\(said)")
            #expect(said.contains("createUnheardOf: \"what it has\""), "\(said)")
            let cut = try #require(try harness.fixture.cuts().last)
            let again = try harness.expect(0, ["restore", "--to", "optime:\(cut.ts)"] + into)
            #expect(again.contains("goes on with an interrupted restore"), "\(again)")
            try LiveState(server).compare(cut, "behind an entry that nobody knows")
        }
    }

    @Test(arguments: LiveMongoKind.targets)
    func `a flipped byte of the archive is found by verify and before a restore writes`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try Self.archived { _ in }
            let segment = try #require(
                try Subprocess.run(
                    "find", [harness.archive + "/lessons/oplog", "-type", "f"], seconds: 20
                ).output.split(separator: "\n").map(String.init).max())
            try Subprocess.run(
                "python3",
                [
                    "-c",
                    """
                    import sys
                    with open(sys.argv[1], "r+b") as file:
                        content = file.read()
                        file.seek(len(content) // 2)
                        file.write(bytes([content[len(content) // 2] ^ 0x10]))
                    """, segment,
                ], seconds: 20)
            for words in [["verify"], ["verify", "--deep"]] {
                let said = try harness.expect(4, words)
                #expect(said.contains("1 problem found in the archive"), "\(said)")
            }
            let folder = harness.folder + "/restored"
            let said = try harness.expect(
                4, ["restore", "--to", "latest", "--into", "lessons=" + folder])
            #expect(!said.contains("restored into"), "\(said)")
            let there = try Subprocess.run("find", [folder, "-type", "f"], seconds: 20).output
            #expect(there.isEmpty, "\(there)")
            let server = try kind.start()
            try harness.expect(4, ["restore", "--to", "latest", "--into", "lessons=" + server.url])
            let names = try server.run(
                """
                own = {"admin", "config", "local"}
                print(sorted(set(client.list_database_names()) - own))
                """)
            #expect(names == "[]")
        }
    }
}
