import Model
import Platform
import TestKit
import Testing

/// The repository fails under a running sidecar: nothing more is acknowledged, it is said with its
/// remedy, and the stream goes on without a gap once the repository is back.
@Suite(.timeLimit(.minutes(5)))
struct SidecarRepositoryTests {
    private func streaming(
        prepare: (ArchiveHarness) throws -> Void = { _ in }
    ) throws -> (harness: ArchiveHarness, sidecar: TidemarkProcess) {
        let server = try RedisServer.start([
            "repl-backlog-size 128mb", "client-output-buffer-limit replica 0 0 0",
        ])
        let harness = try ArchiveHarness(server)
        try prepare(harness)
        let sidecar = try harness.startWithBackup()
        try server.command("SET", "first", "1")
        try harness.waitArchived()
        return (harness, sidecar)
    }

    /// The same with the archive on a file system of its own, which is given back by emptying
    /// `disk` before the folder goes.
    private func streaming(
        mebibytes: Int
    ) throws -> (
        harness: ArchiveHarness, sidecar: TidemarkProcess, disk: Monitor<SmallFileSystem?>
    ) {
        let disk = Monitor<SmallFileSystem?>(nil)
        let (harness, sidecar) = try streaming { harness in
            try shell("mkdir \"$0\"", harness.archive)
            let small = try SmallFileSystem(
                at: harness.archive, mebibytes: mebibytes, owner: harness.user)
            disk.update { $0 = small }
        }
        return (harness, sidecar, disk)
    }

    /// Values that do not compress.
    private func write(_ server: RedisServer, mebibytes: Int) throws {
        var random = SystemRandomNumberGenerator()
        for number in 0..<mebibytes {
            var value = ""
            while value.utf8.count < 1 << 20 {
                value += String(UInt64.random(in: 0...(.max), using: &random), radix: 36)
            }
            try server.pipe(resp(["SET", "big\(number)", value]))
        }
    }

    /// Nothing is acknowledged, and what would be lost grows and is shown.
    private func expectUnacknowledged(_ harness: ArchiveHarness) throws {
        #expect(try harness.server.lines("SET unsafe 1\nWAIT 1 700\n")[1] == "0")
        try eventually("exposure grows", seconds: 60) {
            try (harness.status().exposureSeconds ?? 0) > 2
        }
        let first = try harness.status()
        harness.pause(0.4)
        let second = try harness.status()
        #expect(second.exposureSeconds ?? 0 > first.exposureSeconds ?? 0)
        #expect(second.restorableTo == first.restorableTo)
    }

    /// Everything written so far arrives without a gap, and the archive is whole.
    private func expectWhole(_ harness: ArchiveHarness, _ sidecar: TidemarkProcess) throws {
        try eventually("WAIT is answered again", seconds: 90) {
            try harness.server.lines("SET again 1\nWAIT 1 1000\n")[1] == "1"
        }
        try harness.waitArchived()
        let moment = try harness.moment()
        try harness.waitProved(moment)
        #expect(sidecar.isRunning)
        #expect(try harness.status().gaps.isEmpty)
        let digest = try harness.server.command("DEBUG", "DIGEST")
        #expect(try sidecar.terminate().isSuccess)
        try harness.expect(0, ["verify", "--deep"])
        #expect(try harness.loaded(to: "latest").command("DEBUG", "DIGEST") == digest)
    }

    @Test func `a full disk stops the archive, not the sidecar, until there is room again`()
        async throws
    {
        try await offPool {
            let (harness, sidecar, disk) = try streaming(mebibytes: 48)
            let full = try #require(disk.read { $0 })
            try full.fill()
            try write(harness.server, mebibytes: 20)
            try sidecar.waitForLog("the repository is full")
            #expect(sidecar.log.contains("free space on the file system of \(harness.archive)"))
            try expectUnacknowledged(harness)
            full.drain()
            try expectWhole(harness, sidecar)
            disk.update { $0 = nil }
        }
    }

    @Test func `a file system that turns read-only is named, and taken up once it is writable`()
        async throws
    {
        try await offPool {
            let (harness, sidecar, disk) = try streaming(mebibytes: 96)
            let small = try #require(disk.read { $0 })
            try small.remount(readOnly: true)
            // A segment that is open may still be written; after this it has to be opened anew.
            try harness.server.command("CLIENT", "KILL", "TYPE", "replica")
            try sidecar.waitForLog("the repository is read-only")
            #expect(sidecar.log.contains("findmnt -no TARGET -T \(harness.archive)"))
            try expectUnacknowledged(harness)
            try small.remount(readOnly: false)
            try expectWhole(harness, sidecar)
            disk.update { $0 = nil }
        }
    }

    @Test func `a base backup that fills the disk leaves nothing, and the archive goes on`()
        async throws
    {
        try await offPool {
            let disk = Monitor<SmallFileSystem?>(nil)
            let (harness, sidecar) = try streaming { harness in
                try write(harness.server, mebibytes: 8)
                try shell("mkdir \"$0\"", harness.archive)
                let small = try SmallFileSystem(
                    at: harness.archive, mebibytes: 64, owner: harness.user)
                disk.update { $0 = small }
            }
            let small = try #require(disk.read { $0 })
            let first = try harness.backup()
            func stored() throws -> [String] {
                let base = harness.archive + "/sessions/base/"
                let names = try harness.files("sessions/base").map { $0.dropFirst(base.count) }
                    .filter { $0.contains("/") }.compactMap { $0.split(separator: "/").first }
                return Set(names.map(String.init)).sorted()
            }
            try small.fill(leaving: 2)
            let text = try harness.expect(5, ["backup"])
            #expect(text.contains("the repository is full"), "\(text)")
            #expect(text.contains("free space on the file system of \(harness.archive)"))
            #expect(try harness.expect(0, ["list", "--json"]).contains(first))
            #expect(try stored() == [first])
            try harness.server.command("SET", "second", "1")
            try harness.waitArchived()
            small.drain()
            try harness.expect(0, ["backup"])
            #expect(try stored().count == 2 && stored().first == first)
            try expectWhole(harness, sidecar)
            disk.update { $0 = nil }
        }
    }

    @Test func `a repository without permission is told chmod, and goes on once it is given`()
        async throws
    {
        try await offPool {
            let (harness, sidecar) = try streaming()
            try shell("chmod -R a-w \"$0\"", harness.archive)
            try write(harness.server, mebibytes: 20)
            try sidecar.waitForLog("no permission in the repository")
            #expect(sidecar.log.contains("chmod -R u+rwX \(harness.archive)"))
            try expectUnacknowledged(harness)
            try shell("chmod -R u+w \"$0\"", harness.archive)
            try expectWhole(harness, sidecar)
        }
    }

    @Test func `a repository that was moved away takes no acknowledgement with it`() async throws {
        try await offPool {
            let (harness, sidecar) = try streaming()
            try shell("mv \"$0\" \"$0.away\"", harness.archive)
            #expect(try harness.server.lines("SET second 1\nWAIT 1 700\n")[1] == "0")
            try sidecar.waitForLog("is its file system mounted?")
            #expect(try harness.expect(5, ["status"]).contains(harness.archive))
            try shell("mv \"$0.away\" \"$0\"", harness.archive)
            try expectWhole(harness, sidecar)
        }
    }

    @Test func `an open segment that is removed is written again from the server's backlog`()
        async throws
    {
        try await offPool {
            let (harness, sidecar) = try streaming()
            try shell("find \"$0\" -name '*.partial' -delete", harness.archive)
            try harness.server.command("SET", "second", "1")
            try sidecar.waitForLog("was moved away or removed while it was written")
            let backup = try harness.backup()
            try expectWhole(harness, sidecar)
            #expect(try harness.status().lastBackup?.id == backup)
        }
    }

    @Test func `damage in a sealed file is found, named, and never restored`() async throws {
        try await offPool {
            let (harness, sidecar) = try streaming()
            let early = try harness.server.offset()
            try write(harness.server, mebibytes: 40)
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            let sealed = try harness.files("sessions/stream").filter { $0.hasSuffix(".lz4") }
            try #require(sealed.count >= 2)
            let victim = sealed[0]
            let name = String(victim.split(separator: "/").last ?? "")
            try shell("cp -p \"$0\" \"$1\"", victim, harness.folder + "/kept")
            try flipBit(victim)
            try expectRefused(harness, naming: name, deep: true)
            // Before the damage everything is still there.
            try shell("cp -p \"$0\" \"$1\"", harness.folder + "/kept", victim)
            try shell("truncate -s 100000 \"$0\"", victim)
            try expectRefused(harness, naming: name, deep: false)
            try shell("rm \"$0\"", victim)
            let gone = try harness.expect(4, ["verify"])
            #expect(gone.contains("missing"), "\(gone)")
            try harness.expect(
                4, ["restore", "--to", "latest", "--into", harness.folder + "/gone"])
            #expect(try shell("ls \"$0\"", harness.folder).contains("gone") == false)
            try shell("cp -p \"$0\" \"$1\"", harness.folder + "/kept", victim)
            try harness.expect(0, ["verify", "--deep"])
            let copy = try harness.restore(to: "offset:\(early)")
            #expect(try harness.ask(copy, "DBSIZE") == "1")
        }
    }

    private func expectRefused(
        _ harness: ArchiveHarness, naming name: String, deep: Bool
    ) throws {
        let found = try harness.expect(4, ["verify"] + (deep ? ["--deep"] : []))
        #expect(found.contains(name), "\(found)")
        let place = harness.folder + "/refused"
        let said = try harness.expect(
            4, ["restore", "--to", "latest", "--into", "sessions=" + place])
        #expect(said.contains(name), "\(said)")
        // What was begun is no server's data.
        let started = try? RedisServer.start(["dir \(place)", "appendonly yes"])
        #expect(started == nil)
        try shell("rm -rf \"$0\"", place)
    }

    @Test func `damage in a base backup is found, and another one serves`() async throws {
        try await offPool {
            let (harness, sidecar) = try streaming()
            let first = try harness.backup()
            try harness.server.command("SET", "second", "1")
            try harness.waitArchived()
            try harness.expect(0, ["backup"])
            let second = try harness.backup()
            #expect(second != first)
            #expect(try sidecar.terminate().isSuccess)
            let rdb = harness.archive + "/sessions/base/\(second)/dump.rdb.lz4"
            try flipBit(rdb)
            let found = try harness.expect(4, ["verify", "--deep"])
            #expect(found.contains(second), "\(found)")
            let place = harness.folder + "/refused"
            let said = try harness.expect(
                4, ["restore", "--to", "latest", "--into", "sessions=" + place])
            #expect(said.contains("remove the folder"), "\(said)")
            // As the message says: without the damaged one the older one reaches as far.
            try shell("rm -r \"$0\"", harness.archive + "/sessions/base/\(second)")
            let copy = try harness.restore(to: "latest")
            #expect(try harness.ask(copy, "MGET", "first", "second") == "1\n1")
        }
    }
}
