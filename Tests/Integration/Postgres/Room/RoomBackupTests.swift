import Glibc
import Model
import Platform
import Postgres
import TestKit
import Testing

/// Base backups of a real server, judged by pg_verifybackup.
@Suite(.timeLimit(.minutes(5)))
struct RoomBackupTests {
    /// Writes the files of a base backup as they come.
    private final class FolderSink: BaseBackupSink {
        let folder: String
        private(set) var files: [BaseBackupFile] = []
        private(set) var bytes = 0
        private var descriptor: Int32 = -1

        init(_ folder: String) { self.folder = folder }
        deinit { finish() }

        func begin(_ file: BaseBackupFile) throws(TidemarkError) {
            finish()
            files.append(file)
            descriptor = open(folder + "/" + file.name, O_WRONLY | O_CREAT | O_EXCL, 0o644)
            if descriptor < 0 { throw TidemarkError(.failed, "cannot make \(file.name)") }
        }

        func append(_ bytes: RawSpan) throws(TidemarkError) {
            let isWritten = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress, $0.count) == $0.count
            }
            self.bytes += bytes.byteCount
            if !isWritten { throw TidemarkError(.failed, "cannot write errno \(errno)") }
        }

        func finish() {
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    /// Takes a backup into `folder`.
    private static func take(
        _ room: PostgresRoom, into folder: String
    ) throws -> (start: BaseBackupStart, end: BaseBackupEnd, sink: FolderSink) {
        let backup = room.baseBackup()
        defer { backup.close() }
        let sink = FolderSink(folder)
        let start = try backup.begin(label: "it's a \"test\"", fast: true)
        while true {
            guard let end = try backup.pull(into: sink) else { continue }
            sink.finish()
            return (start, end, sink)
        }
    }

    /// Unpacks and lets pg_verifybackup judge; WAL is not in it.
    private static func verify(_ server: PostgresServer, _ folder: String) throws {
        let data = try server.makeDirectory("unpacked")
        try server.run("/bin/tar", ["-xf", folder + "/base.tar", "-C", data])
        for name in try server.run("/bin/ls", [folder]).output.split(separator: "\n")
        where name.hasSuffix(".tar") && name != "base.tar" {
            let target = "\(data)/pg_tblspc/\(name.dropLast(4))"
            try server.run("/bin/rm", ["-f", target])
            try server.run("/bin/mkdir", [target])
            try server.run("/bin/tar", ["-xf", "\(folder)/\(name)", "-C", target])
        }
        try server.run("/bin/cp", [folder + "/backup_manifest", data])
        try server.run("pg_verifybackup", ["-n", data])
    }

    /// Not with 18, whose package of PyPI has a pg_verifybackup that crashes.
    @Test(arguments: OtherServers.postgresMajors.filter { $0 < 18 } + [15])
    func `a base backup with a tablespace passes pg_verifybackup and knows its server`(
        major: Int
    ) async throws {
        try await offPool {
            let bin = major == 15 ? PostgresTools.bin : OtherServers.postgres(major)
            let server = try PostgresServer.start(.init(checksums: true, bin: bin))
            let place = try server.makeDirectory("space")
            try server.psql("CREATE TABLESPACE side LOCATION '\(place)'")
            try server.psql(
                "CREATE TABLE a TABLESPACE side AS "
                    + "SELECT i, repeat('x', 99) FROM generate_series(1, 9000) i")
            let folder = try ScratchDirectory(owner: PostgresTools.user)
            let taken = try Self.take(RoomHarness(server).room, into: folder.path)
            #expect(taken.end.warnings.isEmpty, "\(taken.end.warnings)")
            #expect(taken.end.position > taken.start.start)
            #expect(taken.start.timeline == TimelineID("1"))
            #expect(taken.sink.files.map(\.role).contains(.tablespace))
            #expect(taken.sink.files.last?.name == "backup_manifest")
            let space = try #require(taken.sink.files.first { $0.role == .tablespace })
            #expect(space.location == place)
            #expect(space.name == space.origin! + ".tar")
            #expect(taken.start.estimatedBytes > 1 << 20)
            let version = taken.start.server.version
            #expect(version == "\(major)0\(version.suffix(3))")
            #expect(taken.start.server.settings["max_connections"] == "50")
            #expect(taken.start.server.settings["shared_preload_libraries"] == "")
            #expect(taken.start.server.settings["data_checksums"] == "on")
            #expect(taken.start.server.extensions["postgres/plpgsql"] != nil)
            #expect(taken.start.server.extensions["template1/plpgsql"] != nil)
            try Self.verify(server, folder.path)
        }
    }

    @Test
    func `failed page checksums leave a backup that names the damaged file`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(checksums: true))
            let file = try server.damagePage()
            let folder = try ScratchDirectory(owner: PostgresTools.user)
            let taken = try Self.take(RoomHarness(server).room, into: folder.path)
            #expect(taken.end.warnings.contains { $0.contains(file) }, "\(taken.end.warnings)")
            #expect(taken.end.warnings.first?.contains("checksum") == true)
            try Self.verify(server, folder.path)
        }
    }

    @Test
    func `configuration outside the data directory is recorded, or its absence is`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let outside = try server.makeDirectory("etc")
            try server.run("/bin/mv", [server.pgData + "/pg_hba.conf", outside + "/pg_hba.conf"])
            try server.run("/bin/sh", ["-c", "echo \"work_mem = '5MB'\" > \(outside)/more.conf"])
            try server.appendSettings([
                "hba_file = '\(outside)/pg_hba.conf'", "include = '\(outside)/more.conf'",
            ])
            try server.restart()
            let folder = try ScratchDirectory(owner: PostgresTools.user)
            let taken = try Self.take(RoomHarness(server).room, into: folder.path)
            #expect(
                taken.start.configuration.map(\.path)
                    == [outside + "/more.conf", outside + "/pg_hba.conf"])
            #expect(
                taken.start.configuration.first.map { String(decoding: $0.content, as: UTF8.self) }
                    == "work_mem = '5MB'\n")
            // Without the right to see them: a backup all the same, with the way to mend it.
            try server.psql("CREATE ROLE tide LOGIN REPLICATION")
            let room = try RoomHarness(server.url(user: "tide")).room
            let blind = try ScratchDirectory(owner: PostgresTools.user)
            let poor = try Self.take(room, into: blind.path)
            #expect(poor.start.configuration.isEmpty)
            #expect(poor.end.warnings.contains { $0.contains("GRANT pg_monitor TO tide") })
            try server.psql("GRANT pg_monitor TO tide")
            let remedy = try #require(
                try room.inspector().check().map(\.remedy).first {
                    $0.contains("pg_read_server_files")
                })
            try server.psql(remedy)
            let sighted = try ScratchDirectory(owner: PostgresTools.user)
            let rich = try Self.take(room, into: sighted.path)
            #expect(rich.start.configuration.count == 2)
            #expect(rich.end.warnings.isEmpty, "\(rich.end.warnings)")
        }
    }

    @Test
    func `a role that may not log in for SQL still gets a backup, with a warning`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql("CREATE ROLE tide LOGIN REPLICATION")
            try server.setHBA([
                "host replication tide 127.0.0.1/32 trust",
                "host all postgres 127.0.0.1/32 trust",
            ])
            try server.reload()
            let folder = try ScratchDirectory(owner: PostgresTools.user)
            let room = try RoomHarness(server.url(user: "tide")).room
            let taken = try Self.take(room, into: folder.path)
            #expect(taken.end.warnings.contains { $0.contains("not recorded") })
            #expect(taken.start.server.settings["max_connections"] == "50")
            #expect(taken.start.server.identity == taken.start.descriptor.identity)
            try Self.verify(server, folder.path)
        }
    }

    @Test
    func `a server that goes away in mid-backup is an error, and the next one works`() async throws
    {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql(
                "CREATE TABLE a AS SELECT i, repeat('x', 900) FROM generate_series(1, 60000) i")
            let room = try RoomHarness(server).room
            let backup = room.baseBackup()
            defer { backup.close() }
            let folder = try ScratchDirectory(owner: PostgresTools.user)
            let sink = FolderSink(folder.path)
            _ = try backup.begin(label: "cut", fast: true)
            let isOver = try backup.pull(into: sink) != nil
            #expect(!isOver)
            try server.kill9()
            let error = #expect(throws: TidemarkError.self) {
                while try backup.pull(into: sink) == nil {}
            }
            #expect(error?.code == .sourceUnreachable)
            try server.start()
            let again = try ScratchDirectory(owner: PostgresTools.user)
            _ = try Self.take(room, into: again.path)
            try Self.verify(server, again.path)
        }
    }
}
