import Model
import Platform
import Redis
import TestKit
import Testing

struct BaseBackupTests {
    @Test func `a base backup is a whole RDB with its place in the history`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let room = try room(server.url)
            let stream = room.stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try server.lines("SELECT 4\nSET a 1\n")
            try server.command("DEBUG", "POPULATE", "20000", "key", "200")
            try stream.follow(sink) { sink.text.contains("SET") }
            let backup = room.baseBackup()
            let start = try backup.begin(label: "tidemark", fast: true)
            #expect(start.start == (try server.offset()))
            #expect(start.timeline.name == (try server.info("master_replid")))
            #expect(start.server.settings["repl-stream-db"] == "4")
            let formats = [6: "9", 7: "10", 8: "12"]
            #expect(
                start.server.settings["rdb-version"] == formats[RedisServer.majorVersion])
            #expect(start.server.settings["databases"] == "16")
            #expect(start.server.settings["default-user"] == "on")
            let file = CollectedBackup()
            var end: BaseBackupEnd?
            while end == nil { end = try backup.pull(into: file) }
            #expect(end?.position == start.start)
            #expect(end?.warnings == [])
            #expect(file.names == ["dump.rdb"])
            #expect(UInt64(file.bytes.count) == start.estimatedBytes)
            // The stream was not disturbed, and the file loads.
            try server.command("SET", "b", "2")
            try stream.follow(sink) {
                sink.text.contains("SELECT") && sink.text.contains("$1\r\nb")
            }
            let copy = try RedisServer()
            try writeFile(copy.directory + "/dump.rdb", file.bytes)
            try copy.start()
            #expect(try copy.command("DBSIZE") == "20000")
            #expect(try copy.lines("SELECT 4\nGET a\n").last { !$0.isEmpty } == "1")
        }
    }

    @Test func `a base backup tells the server's version, and the users that no RDB holds`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start(["databases 9"])
            try server.lines(
                "ACL SETUSER admin on >pw ~* &* +@all\nACL SETUSER app on >pw ~* +get\n"
                    + "ACL SETUSER default off\n")
            let backup = try room("redis://admin:pw@127.0.0.1:\(server.port)").baseBackup()
            let facts = try backup.begin(label: "tidemark", fast: true).server
            backup.close()
            let url = "redis://admin:pw@127.0.0.1:\(server.port)"
            let told = try Subprocess.run("redis-cli", ["-u", url, "INFO", "server"], seconds: 20)
            #expect(told.output.contains("redis_version:\(facts.version)\r\n"))
            #expect(facts.settings["default-user"] == "off")
            #expect(facts.settings["acl-users"] == "admin app")
            #expect(facts.settings["databases"] == "9")
        }
    }

    @Test func `damage anywhere in an RDB is noticed`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            try server.command("SET", "a", "1")
            try server.command("SAVE")
            let rdb = try readFile(server.directory + "/dump.rdb")
            let header = Array("\n\n$\(rdb.count)\r\n".utf8)
            for place in [60, rdb.count / 2, rdb.count - 1] {
                var bytes = header + rdb
                bytes[header.count + place] ^= 0x40
                var reader = PayloadReader()
                #expect(throws: TidemarkError.self) { _ = try reader.take(bytes.span.bytes) }
            }
            var reader = PayloadReader()
            let bytes = header + rdb + Array("*1".utf8)
            let (taken, content) = try reader.take(bytes.span.bytes)
            #expect(taken == bytes.count - 2)
            #expect(content == header.count..<bytes.count - 2)
            #expect(reader.isDone && reader.hasChecksum)
        }
    }

    @Test func `the end marker inside a value does not end an RDB`() async throws {
        try await offPool {
            let marker = String(repeating: "m", count: 40)
            let server = try RedisServer.start()
            try server.command("SET", "a", "x" + marker + "y")
            try server.command("SET", "b", marker)
            try server.command("CONFIG", "SET", "rdbcompression", "no")
            try server.command("SAVE")
            let rdb = try readFile(server.directory + "/dump.rdb")
            let bytes = Array("\n$EOF:\(marker)\r\n".utf8) + rdb + Array(marker.utf8)
            for cut in 0...bytes.count {
                var reader = PayloadReader()
                let one = Array(bytes[..<cut])
                let two = Array(bytes[cut...])
                let first = try reader.take(one.span.bytes)
                #expect(first.taken == cut)
                if cut < bytes.count {
                    guard !reader.isDone else {
                        Issue.record("ended at \(cut) of \(bytes.count)")
                        return
                    }
                    _ = try reader.take(two.span.bytes)
                }
                guard reader.isDone else {
                    Issue.record("did not end, cut at \(cut)")
                    return
                }
            }
        }
    }
}

/// Keeps a base backup in memory.
final class CollectedBackup: BaseBackupSink {
    private(set) var names: [String] = []
    private(set) var bytes: [UInt8] = []

    func begin(_ file: BaseBackupFile) throws(TidemarkError) { names.append(file.name) }
    func append(_ piece: RawSpan) throws(TidemarkError) {
        piece.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
}

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    let file = try File(path, .replacing)
    try file.write(at: 0, bytes.span.bytes)
}

func readFile(_ path: String) throws -> [UInt8] {
    let file = try File(path, .reading)
    return try file.read(at: 0, Int(try file.status().size))
}
