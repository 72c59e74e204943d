import Glibc
import Model
import Platform
import Postgres
import TestKit
import Testing

/// The repository fails under a running sidecar: nothing acknowledged is lost, nothing more is
/// acknowledged, it is said with its remedy, and it goes on by itself.
@Suite(.timeLimit(.minutes(5)))
struct SidecarRepositoryTests {
    /// A server with a table and small segments, and a sidecar that streams.
    private func streaming(
        prepare: (SidecarHarness) throws -> Void = { _ in }
    ) throws -> (side: SidecarHarness, sidecar: TidemarkProcess) {
        let server = try PostgresServer.start(
            .init(settings: ["wal_keep_size = 512MB"], segmentMebibytes: 1))
        try server.psql("create table t (s text)")
        let side = try SidecarHarness(server)
        try prepare(side)
        let sidecar = try side.startWithBackup()
        try server.psql("insert into t values ('first')")
        try side.waitProved(side.moment())
        return (side, sidecar)
    }

    /// The same with the archive on a file system of its own, which is given back by emptying
    /// `disk` before the folder goes.
    private func streaming(
        mebibytes: Int
    ) throws -> (
        side: SidecarHarness, sidecar: TidemarkProcess, disk: Monitor<SmallFileSystem?>
    ) {
        let disk = Monitor<SmallFileSystem?>(nil)
        let (side, sidecar) = try streaming { side in
            try side.server.run("/bin/mkdir", [side.archive])
            let small = try SmallFileSystem(at: side.archive, mebibytes: mebibytes)
            disk.update { $0 = small }
        }
        return (side, sidecar, disk)
    }

    /// Writes about this many mebibytes of WAL that does not compress, and returns its end.
    @discardableResult
    private func write(_ server: PostgresServer, mebibytes: Int) throws -> UInt64 {
        let text = try server.psql(
            """
            insert into t select string_agg(md5(random()::text), '')
            from generate_series(1, \(mebibytes * 512)) i, generate_series(1, 60) group by i;
            select pg_current_wal_flush_lsn()
            """)
        return try #require(LSN.parse(text))
    }

    /// Up to where the server believes the archive has everything.
    private func acknowledged(_ server: PostgresServer) throws -> UInt64 {
        try #require(
            LSN.parse(
                server.psql(
                    """
                    select coalesce(max(flush_lsn), (select restart_lsn from pg_replication_slots))
                    from pg_stat_replication
                    """)))
    }

    /// Sees the exposure pass 2 s and grow from one look to the next.
    private func expectGrowingExposure(_ side: SidecarHarness) throws {
        try eventually("exposure grows") { try (side.status().exposureSeconds ?? 0) > 2 }
        let first = try side.status()
        poll(nil, 0, 300)
        let second = try side.status()
        #expect(second.exposureSeconds ?? 0 > (first.exposureSeconds ?? 0) + 0.25)
        #expect(second.restorableTo == first.restorableTo)
    }

    /// Everything written so far arrives, and the archive is whole to the last byte.
    private func expectWhole(_ side: SidecarHarness, _ sidecar: TidemarkProcess) throws {
        try side.server.psql("select pg_switch_wal()")
        try side.waitProved(side.moment())
        #expect(sidecar.isRunning)
        #expect(try sidecar.terminate().isSuccess)
        try side.expect(0, ["verify", "--deep"])
        try side.expectSameFiles()
    }

    @Test
    func `a full disk stops the archive, not the sidecar, until there is room again`()
        async throws
    {
        try await offPool {
            let (side, sidecar, disk) = try streaming(mebibytes: 24)
            let full = try #require(disk.read { $0 })
            try full.fill()
            let end = try write(side.server, mebibytes: 3)
            try sidecar.waitForLog("the repository is full")
            #expect(sidecar.log.contains("free space on the file system of \(side.archive)"))
            try expectGrowingExposure(side)
            #expect(try acknowledged(side.server) < end)
            // What it cannot archive now must not hold the server up.
            try side.server.stop(.fast, seconds: 10)
            try side.server.start()
            full.drain()
            try expectWhole(side, sidecar)
            disk.update { $0 = nil }
        }
    }

    @Test
    func `a file system that turns read-only is named, and taken up again once it is writable`()
        async throws
    {
        try await offPool {
            let (side, sidecar, disk) = try streaming(mebibytes: 64)
            let small = try #require(disk.read { $0 })
            try small.remount(readOnly: true)
            // The segment that is open may still be written, and what it takes is safe: after this
            // it has to be opened anew.
            try side.server.restart(.fast)
            let before = try acknowledged(side.server)
            let end = try write(side.server, mebibytes: 3)
            try sidecar.waitForLog("the repository is read-only")
            #expect(sidecar.log.contains("Read-only file system"))
            #expect(sidecar.log.contains("findmnt -no TARGET -T \(side.archive)"))
            try expectGrowingExposure(side)
            try eventually("status says that nothing is heard of the sidecar") {
                try side.status().reason.contains("cannot write to the repository")
            }
            #expect(before < end)
            #expect(try acknowledged(side.server) <= before)
            let refused = try side.expect(5, ["backup"])
            #expect(refused.contains("the repository is read-only"), "\(refused)")
            #expect(refused.contains("findmnt -no TARGET -T \(side.archive)"), "\(refused)")
            // What it holds can be read and restored from meanwhile.
            try side.expect(0, ["verify", "--deep"])
            try small.remount(readOnly: false)
            try expectWhole(side, sidecar)
            #expect(try side.status().gaps.isEmpty)
            disk.update { $0 = nil }
        }
    }

    @Test
    func `on a file system that is read-only from the start nothing is begun`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server)
            try server.run("/bin/mkdir", [side.archive])
            let small = try SmallFileSystem(at: side.archive, mebibytes: 8)
            try small.remount(readOnly: true)
            for command in ["run", "backup"] {
                let text = try side.expect(5, [command])
                #expect(text.contains("the repository is read-only"), "\(text)")
                #expect(text.contains("findmnt -no TARGET -T \(side.archive)"), "\(text)")
            }
            #expect(try server.psql("select count(*) from pg_replication_slots") == "0")
            let config = side.archive + "/tidemark.yml"
            let done = try TidemarkProcess.run(
                ["init", "--config", config], environment: side.environment, user: side.user)
            #expect(done.status == .exited(2), "\(done.errors)")
            #expect(done.errors.contains("read-only file system"), "\(done.errors)")
            #expect(done.errors.contains(config), "\(done.errors)")
            #expect(try Directory.names(in: side.archive).isEmpty)
            try small.remount(readOnly: false)
            let sidecar = try side.startWithBackup()
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test
    func `a base backup that fills the disk leaves nothing, and the archive goes on`()
        async throws
    {
        try await offPool {
            let (side, sidecar, disk) = try streaming(mebibytes: 64)
            let small = try #require(disk.read { $0 })
            let first = try #require(try side.status().lastBackup?.id)
            try small.fill(leaving: 2)
            let text = try side.expect(5, ["backup"])
            #expect(text.contains("the repository is full"), "\(text)")
            #expect(text.contains("free space on the file system of \(side.archive)"), "\(text)")
            // The unfinished one does not exist, and holds no room either.
            #expect(try side.expect(0, ["list", "--json"]).contains(first))
            let folder = side.archive + "/ledger/base"
            #expect(try backups(in: folder) == [first])
            // The archive goes on in what is left.
            try side.server.psql("insert into t values ('second')")
            try side.waitProved(side.moment())
            #expect(sidecar.isRunning)
            small.drain()
            try side.expect(0, ["backup"])
            let both = try backups(in: folder)
            #expect(both.count == 2 && both.first == first)
            try expectWhole(side, sidecar)
            disk.update { $0 = nil }
        }
    }

    /// Base backups of which anything is stored, whether or not they exist for others.
    private func backups(in folder: String) throws -> [String] {
        let files = try Subprocess.run(
            "find", [folder, "-mindepth", "2", "-type", "f", "-printf", "%P\\n"], seconds: 20)
        let names = files.output.split(separator: "\n").map { $0.prefix { $0 != "/" } }
        return Set(names.map(String.init)).sorted()
    }

    @Test
    func `a repository without permission is told chmod, and goes on once it is given`()
        async throws
    {
        try await offPool {
            let (side, sidecar) = try streaming()
            try side.server.run("/bin/chmod", ["-R", "a-w", side.archive])
            let end = try write(side.server, mebibytes: 3)
            try sidecar.waitForLog("no permission in the repository")
            #expect(sidecar.log.contains("chmod -R u+rwX \(side.archive)"))
            try expectGrowingExposure(side)
            try eventually("status says that nothing is heard of the sidecar") {
                try side.status().reason.contains("cannot write to the repository")
            }
            #expect(try acknowledged(side.server) < end)
            try side.server.stop(.fast, seconds: 10)
            try side.server.start()
            try side.server.run("/bin/chmod", ["-R", "u+w", side.archive])
            try expectWhole(side, sidecar)
        }
    }

    @Test
    func `a fast shutdown under load waits for nothing, and nothing is lost`() async throws {
        try await offPool {
            let (side, sidecar) = try streaming()
            let before = try side.server.flushed()
            // One that is cut off by the shutdown.
            let load = DedicatedThread("load") { () throws(TidemarkError) in
                while true {
                    _ = try side.server.psql(
                        """
                        insert into t select string_agg(md5(random()::text), '')
                        from generate_series(1, 2000) i, generate_series(1, 60) group by i
                        """)
                }
            }
            try eventually("the load is under way") {
                try acknowledged(side.server) > before + 4 << 20
            }
            try side.server.stop(.fast, seconds: 10)
            #expect(throws: TidemarkError.self) { try load.join() }
            try side.server.start()
            try expectWhole(side, sidecar)
        }
    }

    @Test
    func `into a repository that was moved away nothing is acknowledged, and it is taken up again`()
        async throws
    {
        try await offPool {
            let (side, sidecar) = try streaming()
            try side.server.run("/bin/mv", [side.archive, side.archive + ".away"])
            let before = try acknowledged(side.server)
            // Far less than a segment: the open file would take it without complaint.
            try side.server.psql("insert into t values ('second')")
            try sidecar.waitForLog("the stream failed")
            #expect(sidecar.log.contains("is its file system mounted? try: mount \(side.archive)"))
            #expect(try acknowledged(side.server) <= before)
            let text = try side.expect(5, ["status"])
            #expect(text.contains(side.archive))
            try side.server.run("/bin/mv", [side.archive + ".away", side.archive])
            try expectWhole(side, sidecar)
        }
    }

    @Test
    func `an open segment that is removed is written again from the server's copy`() async throws {
        try await offPool {
            let (side, sidecar) = try streaming()
            try side.server.run(
                "/usr/bin/find", [side.archive, "-name", "*.partial", "-delete"])
            try side.server.psql("insert into t values ('second')")
            try sidecar.waitForLog("was moved away or removed while it was written")
            try expectWhole(side, sidecar)
        }
    }
}
