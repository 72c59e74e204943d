import Platform
import TestKit
import Testing

/// Libraries that are loaded where they are called, and that a machine may lack.
struct LibraryTests {
    @Test(arguments: [
        ("libpq.so.5", "postgresql://tidemark@127.0.0.1:1/postgres", "libpq5"),
        ("libmongoc-1.0.so.0", "mongodb://127.0.0.1:1/?replicaSet=rs0", "libmongoc-1.0-0"),
    ])
    func `a library that is missing is named with its package, by the database that needs it`(
        library: String, url: String, package: String
    ) async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let config = scratch.path + "/tidemark.yml"
            let libraries = try scratch.directory("libraries")
            for (path, text) in [
                (
                    config,
                    "repository: { url: \"file://\(scratch.path)/archive\" }\n"
                        + "sources: { it: { url: \"\(url)\" } }\n"
                ),
                // Found first, and no library.
                (libraries + "/" + library, "nothing"),
            ] {
                try Subprocess.run(
                    "/bin/sh", ["-c", "cat > \"$0\"", path],
                    SubprocessOptions(input: Array(text.utf8)), seconds: 20)
            }
            let lacking = try TidemarkProcess.run(
                ["check", "--config", config], environment: ["LD_LIBRARY_PATH": libraries])
            #expect(lacking.status == .exited(1), "\(lacking.status)")
            let said = lacking.output + lacking.errors
            #expect(said.contains("cannot be loaded: \(libraries)/\(library)"), "\(said)")
            #expect(said.contains("apt-get install \(package)"), "\(said)")
            // Nobody else misses it.
            let version = try TidemarkProcess.run(
                ["--version"], environment: ["LD_LIBRARY_PATH": libraries])
            #expect(version.status.isSuccess, "\(version.errors)")
        }
    }
}
