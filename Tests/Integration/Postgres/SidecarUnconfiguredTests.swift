import Model
import Platform
import TestKit
import Testing

/// The first steps of somebody who has a server and no file.
@Suite(.timeLimit(.minutes(5)))
struct SidecarUnconfiguredTests {
    @Test func `run with a URL and a repository archives without a file`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql("create table t as select 7 as i")
            let folder = try server.makeDirectory("here")
            let archive = ["--repository", "file://\(folder)/archive"]
            let sidecar = try TidemarkProcess(
                ["run", "postgres" + server.url().dropFirst("postgresql".count)] + archive,
                environment: ["HOME": folder], directory: folder, user: PostgresTools.user)
            try sidecar.waitForLog("base backup finished", seconds: 90)
            func tidemark(_ words: [String]) throws -> CompletedProcess {
                try TidemarkProcess.run(
                    words + archive, environment: ["HOME": folder], directory: folder,
                    user: PostgresTools.user)
            }
            let status = try StatusReport.first(of: tidemark(["status", "--json"]).output)
            #expect(status.state == "streaming")
            #expect(status.lastBackup != nil)
            #expect(try sidecar.terminate().isSuccess)
            let restored = try tidemark(["restore", "--to", "latest", "--into", folder + "/copy"])
            #expect(restored.status.isSuccess, "\(restored.errors)")
        }
    }

    @Test func `init writes a server that it finds, and how it is reached`() async throws {
        try await offPool {
            let server = try PostgresServer.start(
                .init(settings: ["unix_socket_directories = '/tmp'"]))
            let folder = try server.makeDirectory("here")
            let made = try TidemarkProcess.run(
                ["init", "--repository", "file://\(folder)/archive"],
                environment: ["HOME": folder], directory: folder, user: PostgresTools.user)
            #expect(made.status.isSuccess, "\(made.errors)")
            #expect(made.errors.contains("postgres at /tmp"), "\(made.errors)")
            let text = TextFile.read(folder + "/tidemark.yml")
            let line = try #require(
                text.split(separator: "\n").first { $0.contains("port=\(server.port)") }, "\(text)")
            // The line as it is, with the role and the password that it speaks of.
            try server.psql("create role tidemark superuser login password 'x'")
            let name = try #require(
                line.split(separator: "${").dropFirst().first?.prefix { $0 != "}" }, "\(line)")
            let url = try #require(
                line.split(separator: "\"").first { $0.hasPrefix("postgres") }, "\(line)")
            let checked = try TidemarkProcess(
                ["run", String(url), "--no-backup", "--repository", "file://\(folder)/archive"],
                environment: ["HOME": folder, String(name): "x"], directory: folder,
                user: PostgresTools.user)
            try checked.waitForLog("stream opened", seconds: 60)
            #expect(try checked.terminate().isSuccess)
        }
    }
}
