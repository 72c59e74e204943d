import Model
import Platform
import TestKit
import Testing

/// Files of `export`, judged by Redis's own programs.
struct ExportTests {
    @Test func `a base backup and the commands behind it load as a server's own files`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb"])
            try server.pipe(Workload.functions)
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let mark = try loadedMark(server)
            try server.command("FLUSHALL")
            try harness.waitArchived()
            let files = try export(harness, "whole", ["--to", "offset:\(mark.offset)"])
            #expect(files.count == 2 && files[0].hasSuffix("/dump.rdb"))
            try judge(files)
            let copy = try load(files)
            #expect(try copy.command("DEBUG", "DIGEST") == mark.digest)
            // The archive goes on while it is read, and the end is reached as well.
            try judge(try export(harness, "latest", ["--to", "latest"]))
            #expect(try sidecar.terminate().isSuccess)
            // A sealed segment, or the open one's end, exports to the same bytes.
            let again = try export(harness, "again", ["--to", "offset:\(mark.offset)"])
            for (one, other) in zip(files, again) {
                try shell("cmp \"$0\" \"$1\"", one, other)
            }
        }
    }

    @Test func `stretches that meet are the whole, whatever database was selected`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb"])
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.lines("SELECT 7\nSET first 1\nMULTI\nINCR n\nINCR n\nEXEC\n")
            let first = try server.offset()
            // No SELECT in this stretch: the selected database must be found before it.
            try server.lines("SELECT 7\nSET second 2\nPUBLISH c x\n")
            harness.pause()
            let moment = try harness.moment()
            harness.pause()
            try server.lines("SELECT 7\nAPPEND second 3\n")
            try harness.waitArchived()
            try harness.waitProved(moment)
            let time = moment.text(fractionDigits: 6)
            let base = try export(harness, "base", ["--to", "offset:\(first)"])
            let middle = try export(
                harness, "middle", ["--from", "offset:\(first)", "--to", time])
            let end = try export(harness, "end", ["--from", time, "--to", "latest"])
            #expect(middle.count == 1 && end.count == 1)
            try judge(base + middle + end)
            let all = try load(base + middle + end)
            #expect(try all.lines("SELECT 7\nMGET first n second\n") == ["OK", "1", "2", "23", ""])
            let early = try load(base + middle)
            #expect(try early.lines("SELECT 7\nGET second\n") == ["OK", "2", ""])
            let text = try Subprocess.run("cat", middle, seconds: 20).output
            #expect(text.hasPrefix("*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n"))
            #expect(text.contains("second") && !text.contains("PUBLISH"))
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    /// Lines that stand at the start of a manifest, a command and a note in Redis's own files.
    @Test func `values and keys that look like files' own lines come through`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb"])
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let odd = [
                "file appendonly.aof.1.base.rdb seq 1 type b\r\n", "*1\r\n$8\r\nFLUSHALL\r\n",
                "\n#TS:1700000000\r\n*2\r\n", "\r\n$EOF:0123\r\nREDIS0010\u{ff}", "\u{0}\n\n\r", "",
                "*2\r\n$6\r\nSELECT\r\n$1\r\n9\r\n", "MULTI", "\n",
            ]
            for (number, text) in odd.enumerated() {
                try server.pipe(
                    resp(["SELECT", "\(number % 3)"]) + resp(["SET", text, text + text])
                        + resp(["MULTI"]) + resp(["RPUSH", "l", text, text]) + resp(["EXEC"])
                        + resp(["HSET", "h" + text, text, text]))
            }
            try harness.waitArchived()
            let digest = try server.command("DEBUG", "DIGEST")
            let files = try export(harness, "odd", ["--to", "latest"])
            let loaded = try load(files)
            #expect(try loaded.command("DEBUG", "DIGEST") == digest)
            if RedisServer.majorVersion >= 7 {
                // By itself a file with a line that begins with "file" passes there for a manifest.
                try judge([loaded.directory + "/appendonlydir/appendonly.aof.manifest"])
            }
            let copy = try harness.loaded(to: "latest")
            #expect(try copy.command("DEBUG", "DIGEST") == digest)
            #expect(try harness.expect(0, ["find"]).contains("nothing destructive"))
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test func `what cannot be exported is refused, and nothing is left behind`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 16kb"])
            let harness = try ArchiveHarness(server)
            let (sidecar, lost) = try harness.startBehindGap()
            try server.command("SET", "after", "1")
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            let into = ["--into", harness.folder + "/refused"]
            let end = try server.offset()
            let gap = try harness.expect(
                3, ["export", "sessions", "--to", "offset:\(lost + 50_000)"] + into)
            #expect(gap.contains("gap"))
            try harness.expect(
                3,
                ["export", "sessions", "--from", "offset:\(lost)", "--to", "offset:\(end)"] + into)
            let turned = try harness.expect(
                2,
                ["export", "sessions", "--from", "latest", "--to", "offset:\(end - 5)"] + into)
            #expect(turned.contains("nothing lies between"))
            try harness.expect(2, ["export", "nobody", "--to", "latest"] + into)
            try harness.expect(2, ["export", "sessions", "--to", "lsn:0/1"] + into)
            let inside = ["--into", harness.archive + "/x"]
            #expect(
                try harness.expect(2, ["export", "sessions", "--to", "latest"] + inside)
                    .contains("repository"))
            let occupied = try harness.expect(
                2, ["export", "sessions", "--to", "latest", "--into", harness.folder])
            #expect(occupied.contains("--force"))
            let left = try Subprocess.run("ls", [harness.folder], seconds: 20).output
            #expect(!left.contains("refused"))
            let files = try export(harness, "good", ["--to", "latest", "--json"])
            #expect(files.joined().contains("\"backup\""))
            // One bit of a sealed segment: nothing is given out as whole.
            let sealed = try #require(
                try harness.files("sessions/base").last { $0.hasSuffix("dump.rdb.lz4") })
            try flipBit(sealed)
            let damaged = harness.folder + "/damaged"
            try harness.expect(4, ["export", "sessions", "--to", "latest", "--into", damaged])
            #expect(try Subprocess.run("ls", [damaged], seconds: 20).output.isEmpty)
        }
    }

    // MARK: helpers

    /// A mixed load, then the digest and the offset of one moment.
    private func loadedMark(_ server: RedisServer) throws -> (offset: UInt64, digest: String) {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3 {
            try server.pipeAllowingErrors(Workload.round(1000, using: &random))
        }
        let answers = try server.lines("CLIENT PAUSE 20000 WRITE\nDEBUG DIGEST\n")
        let offset = try server.offset()
        try server.command("CLIENT", "UNPAUSE")
        return (offset, try #require(answers.dropFirst().first))
    }

    /// The paths that the command prints.
    private func export(
        _ harness: ArchiveHarness, _ name: String, _ words: [String]
    ) throws -> [String] {
        let done = try harness.tidemark(
            ["export", "sessions", "--into", harness.folder + "/" + name] + words)
        try #require(done.status.isSuccess, "export said: \(done.errors)")
        return done.output.split(separator: "\n").map(String.init)
    }

    private func judge(_ files: [String]) throws {
        for file in files {
            let tool = file.hasSuffix(".rdb") ? "redis-check-rdb" : "redis-check-aof"
            let done = try Subprocess.run(tool, [file], seconds: 60)
            #expect(done.status.isSuccess, "\(tool) \(file): \(done.output)")
        }
    }

    /// A server that loads a base and its increments, and lets nothing expire.
    private func load(_ files: [String]) throws -> RedisServer {
        let server = try RedisServer(["appendonly yes", "replicaof 127.0.0.1 1"])
        if RedisServer.majorVersion < 7 {
            // One file: the RDB, and the commands behind it.
            for file in files {
                try shell("cat \"$0\" >> \"$1/appendonly.aof\"", file, server.directory)
            }
        } else {
            try makeManifest(files, server.directory + "/appendonlydir")
        }
        try server.start()
        return server
    }

    private func makeManifest(_ files: [String], _ folder: String) throws {
        try shell("mkdir \"$0\"", folder)
        var manifest = ""
        for (number, file) in files.enumerated() {
            try shell("cp \"$0\" \"$1\"", file, folder)
            let name = file.split(separator: "/").last ?? ""
            manifest += "file \(name) seq \(max(1, number)) type \(number == 0 ? "b" : "i")\n"
        }
        try shell("printf %s \"$1\" > \"$0\"", folder + "/appendonly.aof.manifest", manifest)
    }
}
