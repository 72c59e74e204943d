import Glibc
import Model
import Platform
import Redis
import TestKit
import Testing

/// Restores are compared with the source by DEBUG DIGEST: the source tells it together with a
/// marker in the stream, the copy is cut behind the marker and loaded as a replica of nobody, so
/// that nothing expires in it.
struct ReplayTests {
    @Test func `copies at several moments equal the source at those moments`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb"])
            try server.pipe(Workload.functions)
            let room = try room(server.url)
            let stream = room.stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            let load = BackgroundLoad(server, rounds: 12)
            var backup: (start: BaseBackupStart, bytes: [UInt8])?
            var marks: [(name: String, digest: String)] = []
            try stream.follow(sink, seconds: 60) {
                if backup == nil, sink.bytes.count > 100_000 { backup = try take(room) }
                if backup != nil, marks.count < 4, load.round > 3 + 2 * marks.count {
                    let name = "marker-\(marks.count)-end"
                    let answers = try server.lines("MULTI\nSET m \(name)\nDEBUG DIGEST\nEXEC\n")
                    marks.append((name, answers.filter { !$0.isEmpty }.last ?? ""))
                }
                return load.isDone && marks.count == 4
            }
            try load.join()
            try stream.follow(sink) { try sink.end >= server.offset() }
            let base = try #require(backup)
            for mark in marks {
                let end = try place(of: mark.name, in: sink)
                let copy = try restore(base, sink, opening, stop: end)
                #expect(try copy.command("DEBUG", "DIGEST") == mark.digest, "\(mark.name)")
            }
        }
    }

    @Test func `an open transaction at the end is not loaded`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let room = try room(server.url)
            let stream = room.stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            let base = try take(room)
            try server.lines("SET a 1\nMULTI\nSET b 2\nSET c 3\nEXEC\n")
            try stream.follow(sink) { sink.text.contains("EXEC") }
            let kept = RecordingSink()
            let open = Array(sink.bytes.dropLast(20))
            try kept.append(open.span.bytes, at: sink.start!)
            let copy = try restore(base, kept, opening, stop: nil)
            #expect(try copy.command("DBSIZE") == "1")
            // Writes after the restore survive a restart.
            try copy.command("REPLICAOF", "NO", "ONE")
            try copy.command("SET", "new", "1")
            try copy.stop()
            try copy.start()
            #expect(try copy.command("DBSIZE") == "2")
        }
    }

    /// Of an older server the copy is one file, which this one takes too.
    @Test(arguments: ["", "6.2.14"])
    func `an interrupted restore starts no server, a finished one starts by itself`(
        version: String
    ) async throws {
        try await offPool {
            let server = try RedisServer.start()
            let room = try room(server.url)
            let stream = room.stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try server.lines("SELECT 7\nSET a 1\n")
            var base = try take(room)
            if !version.isEmpty { base.start.server.version = version }
            try server.lines("SELECT 7\nSET b 2\n")
            try stream.follow(sink) { sink.text.contains("$1\r\nb") }
            let scratch = try ScratchDirectory()
            let broken = try scratch.directory("broken")
            try begin(base, opening, broken)
            let unfinished = try RedisServer(["appendonly yes", "dir \(broken)"])
            #expect(throws: TidemarkError.self) { try unfinished.start(seconds: 20) }
            let folder = try scratch.directory("copy")
            let copy = try begin(base, opening, folder)
            let all = sink.bytes
            try copy.stream(all.span.bytes, at: sink.start!)
            try copy.complete()
            let restored = try copy.start(port: nil)
            #expect(restored.reached.ordinal == sink.end)
            #expect(copy.notes.last == "database 7: keys=2")
            let again = #expect(throws: TidemarkError.self) {
                try RedisReplayer().restoration(self.order(base, opening, folder, stop: nil))
            }
            #expect(again?.code == .destinationOccupied)
            try Subprocess.run(
                "redis-cli", ["-u", restored.url, "SHUTDOWN", "NOSAVE"], seconds: 20)
        }
    }

    @Test func `what the server has to bring along is said, and stands in its settings`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let room = try room(server.url)
            let opening = try room.stream().open(ResumePoint(descriptor: nil, end: nil))
            var base = try take(room)
            base.start.server.extensions["bloom"] = "20612"
            base.start.server.settings["cluster-enabled"] = "yes"
            let scratch = try ScratchDirectory()
            let folder = try scratch.directory("copy")
            let copy = try begin(base, opening, folder)
            try copy.complete()
            #expect(copy.warnings.contains { $0.contains("needs the module bloom, version 20612") })
            #expect(copy.warnings.contains { $0.contains("one node of a cluster") })
            let settings = try Subprocess.run(
                "/bin/cat", [folder + "/tidemark-redis.conf"], seconds: 20
            ).output
            #expect(settings.contains("path of module bloom must stand here"))
            // A live server without it is refused before it is touched.
            var order = order(base, opening, "", stop: nil)
            order.server = server.url
            order.force = true
            let refused = #expect(throws: TidemarkError.self) {
                try RedisReplayer().restoration(order)
            }
            #expect(refused?.message.contains("module bloom") == true)
        }
    }

    @Test func `times in an RDB of an unknown version are left alone, or nothing is begun`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let room = try room(server.url)
            let opening = try room.stream().open(ResumePoint(descriptor: nil, end: nil))
            var base = try take(room)
            let empty = try RedisServer.start()
            let scratch = try ScratchDirectory()
            let now = clock.wall()
            let changes: [ExpiryOrder] = [.persist, .shift(from: now, now: now)]
            for (version, isKnown) in [("81", false), ("13", false), ("80", true), ("12", true)] {
                base.start.server.settings["rdb-version"] = version
                for (folder, url) in [(scratch.path + "/copy", nil), ("", empty.url)] {
                    var order = order(base, opening, folder, stop: nil)
                    order.server = url
                    #expect(refusal(of: order) == nil)
                    for expiry in changes {
                        order.expiry = expiry
                        let error = refusal(of: order)
                        #expect((error == nil) == isKnown, "\(version)")
                        guard let error else { continue }
                        #expect(error.code == .usage)
                        #expect(error.message.contains("(version \(version))"))
                        #expect(error.remedy.contains("--expiry keep"))
                    }
                }
            }
            #expect(try empty.info("role") == "master")
            #expect(access(scratch.path + "/copy", F_OK) != 0)
        }
    }

    // MARK: helpers

    private func refusal(of order: RestoreOrder) -> TidemarkError? {
        do throws(TidemarkError) {
            _ = try RedisReplayer().restoration(order)
            return nil
        } catch {
            return error
        }
    }

    /// Lays down the base backup alone.
    @discardableResult
    private func begin(
        _ base: (start: BaseBackupStart, bytes: [UInt8]), _ opening: StreamOpening,
        _ folder: String
    ) throws -> any Restoration {
        let order = order(base, opening, folder, stop: nil)
        let copy = try RedisReplayer().restoration(order)
        try copy.begin()
        try copy.open(order.backup.files[0])
        try copy.write(base.bytes.span.bytes)
        try copy.close()
        return copy
    }

    private func take(_ room: RedisRoom) throws -> (start: BaseBackupStart, bytes: [UInt8]) {
        let backup = room.baseBackup()
        let start = try backup.begin(label: "t", fast: true)
        let file = CollectedBackup()
        while try backup.pull(into: file) == nil {}
        return (start, file.bytes)
    }

    /// The first edge behind a text in the stream.
    private func place(of text: String, in sink: RecordingSink) throws -> UInt64 {
        let needle = Array(text.utf8)
        let found = try #require(sink.bytes.firstRange(of: needle))
        var splitter = CommandSplitter(at: StreamEdge(position: sink.start!))
        var cursor = 0
        let target = sink.start! + UInt64(found.lowerBound)
        let bytes = sink.bytes
        while try splitter.next(bytes.span, &cursor) {
            if splitter.edge.position > target { return splitter.edge.position }
        }
        throw TidemarkError(.failed, "no edge behind \(text)")
    }

    private func order(
        _ base: (start: BaseBackupStart, bytes: [UInt8]), _ opening: StreamOpening,
        _ folder: String, stop: UInt64?
    ) -> RestoreOrder {
        let file = StoredFile(
            name: "dump.rdb.lz4", role: .data, origin: nil, location: nil,
            bytes: UInt64(base.bytes.count), storedBytes: 1, storedSHA256: "")
        let backup = BaseBackupDescriptor(
            id: "b", source: testSource, kind: .redis, timeline: base.start.timeline,
            start: base.start.start, end: base.start.start, started: clock.wall(),
            finished: clock.wall(), bytes: file.bytes, storedBytes: 1, files: [file],
            server: base.start.server, warnings: [])
        return RestoreOrder(
            source: testSource, descriptor: opening.descriptor, backup: backup, destination: folder,
            relocations: [:], timeline: opening.start.timeline,
            stop: stop.map { RecoveryStop(last: $0, end: $0, time: nil) }, fetchCommand: "",
            programs: [], force: false, starts: true)
    }

    /// Restores into a server that loads it and lets nothing expire.
    private func restore(
        _ base: (start: BaseBackupStart, bytes: [UInt8]), _ sink: RecordingSink,
        _ opening: StreamOpening, stop: UInt64?
    ) throws -> RedisServer {
        let server = try RedisServer(["appendonly yes", "replicaof 127.0.0.1 1"])
        let order = order(base, opening, server.directory, stop: stop)
        let copy = try RedisReplayer().restoration(order)
        #expect(copy.takesStream)
        try copy.begin()
        try copy.open(order.backup.files[0])
        for start in stride(from: 0, to: base.bytes.count, by: 10_000) {
            let piece = Array(base.bytes[start..<min(start + 10_000, base.bytes.count)])
            try copy.write(piece.span.bytes)
        }
        try copy.close()
        for start in stride(from: 0, to: sink.bytes.count, by: 65_521) {
            let piece = Array(sink.bytes[start..<min(start + 65_521, sink.bytes.count)])
            try copy.stream(piece.span.bytes, at: sink.start! + UInt64(start))
        }
        try copy.complete()
        try server.start()
        return server
    }
}
