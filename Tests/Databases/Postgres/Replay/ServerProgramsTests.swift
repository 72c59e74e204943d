import Glibc
import Model
import TestKit
import Testing

@testable import Postgres

struct ServerProgramsTests {
    /// A folder whose `pg_ctl` says that it is of this version.
    private func warning(
        installed: String, recorded: String, libraries: String = "timescaledb",
        extensions: [String: String] = [:]
    ) async throws -> String? {
        try await offPool {
            let folder = try ScratchDirectory()
            let path = folder.path + "/pg_ctl"
            let file = open(path, O_WRONLY | O_CREAT, 0o755)
            let text = Array("#!/bin/sh\necho 'pg_ctl (PostgreSQL) \(installed)'\n".utf8)
            let written = write(file, text, text.count)
            close(file)
            try #require(written == text.count)
            let found = try ServerPrograms.find(
                major: String(installed.prefix { $0.isNumber }), folders: [folder.path])
            return try found.minorWarning(
                ServerFacts(
                    identity: "1", version: recorded,
                    settings: ["shared_preload_libraries": libraries], extensions: extensions))
        }
    }

    @Test(arguments: ["15.18", "15.18 (Debian 15.18-0+deb12u1)", "15.0"])
    func `an older minor version is warned of where libraries are needed`(installed: String)
        async throws
    {
        let text = try #require(await warning(installed: installed, recorded: "150020"))
        #expect(text.contains("the source had 15.20"), "\(text)")
        #expect(text.contains("install 15.20 or later"), "\(text)")
        let listed = try await warning(
            installed: installed, recorded: "150020", libraries: "",
            extensions: ["a/plpgsql": "1.0", "a/timescaledb": "2.17.2"])
        #expect(listed != nil)
    }

    @Test(arguments: ["15.20", "15.21 (Debian 15.21-1)", "15beta2"])
    func `the same or a newer one is not`(installed: String) async throws {
        #expect(try await warning(installed: installed, recorded: "150020") == nil)
    }

    @Test func `nor is any where no library is needed, or nobody knows the version`() async throws {
        let plain = try await warning(
            installed: "15.18", recorded: "150020", libraries: "",
            extensions: ["a/plpgsql": "1.0"])
        #expect(plain == nil)
        #expect(try await warning(installed: "15.18", recorded: "unknown") == nil)
    }
}
