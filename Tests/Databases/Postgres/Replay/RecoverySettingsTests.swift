import Model
import Testing

@testable import Postgres

/// What a restore writes for the copy, beside what the copy's own files say.
struct RecoverySettingsTests {
    private func settings(
        _ recorded: [String: String], timescale: Bool = false
    ) -> RecoverySettings {
        let source = SourceID("ledger")!
        let zero = CommitTime(microseconds: 0)
        return RecoverySettings(
            order: RestoreOrder(
                source: source,
                descriptor: SourceDescriptor(
                    source: source, kind: .postgres, identity: "1", majorVersion: "15",
                    segmentBytes: 1 << 24, created: zero),
                backup: BaseBackupDescriptor(
                    id: "b", source: source, kind: .postgres, timeline: TimelineID("1"), start: 0,
                    end: 0, started: zero, finished: zero, bytes: 0, storedBytes: 0, files: [],
                    server: ServerFacts(
                        identity: "1", version: "150020", settings: recorded,
                        extensions: timescale ? ["db/timescaledb": "2.17.2"] : [:]), warnings: []),
                destination: "/copy", relocations: [:], timeline: TimelineID("1"), stop: nil,
                fetchCommand: "fetch", programs: [], force: false, starts: false))
    }

    /// The lasting lines that set something of this name.
    private func lasting(
        _ recorded: [String: String], _ name: String, main: String = "", automatic: String = "",
        timescale: Bool = false
    ) -> [String] {
        settings(recorded, timescale: timescale)
            .lasting(OwnSettings(main: main, automatic: automatic))
            .filter { $0.hasPrefix(name + " = ") }
    }

    private static let preload = "shared_preload_libraries"

    @Test func `what the copy's own files say is not said again`() {
        let recorded = ["shared_preload_libraries": "a, b", "max_connections": "300"]
        let main = "max_connections = 100\nmax_connections = 300\nshared_preload_libraries='a,b'\n"
        for name in [Self.preload, "max_connections"] {
            #expect(lasting(recorded, name, main: main).isEmpty)
            #expect(lasting(recorded, name, automatic: main).isEmpty)
        }
        // What a server takes by itself needs no line either.
        #expect(lasting(["max_worker_processes": "8"], "max_worker_processes").isEmpty)
        #expect(lasting(["dynamic_library_path": "$libdir"], "dynamic_library_path").isEmpty)
    }

    @Test func `what they say otherwise or not at all is written as it was`() {
        let recorded = [
            "shared_preload_libraries": "a, b", "max_connections": "300",
            "dynamic_library_path": "$libdir:/opt",
        ]
        for main in ["", "#max_connections = 300\n", "max_connections = 100\n"] {
            #expect(lasting(recorded, Self.preload, main: main) == [Self.preload + " = 'a, b'"])
            #expect(lasting(recorded, "max_connections", main: main) == ["max_connections = '300'"])
        }
        let path = lasting(recorded, "dynamic_library_path")
        #expect(path == ["dynamic_library_path = '$libdir:/opt'"])
        // `postgresql.auto.conf` is the stronger one.
        let weak = "max_connections = 300\n"
        let strong = "max_connections = 100\n"
        #expect(lasting(recorded, "max_connections", main: weak, automatic: strong).count == 1)
    }

    @Test func `a file that is included may say otherwise, so that nothing is taken for said`() {
        let recorded = ["shared_preload_libraries": "a", "max_connections": "100"]
        for word in ["include 'x'", "include_if_exists = 'x'", "include_dir 'conf.d'"] {
            let main = "max_connections = 100\nshared_preload_libraries = 'a'\n\(word)\n"
            for name in [Self.preload, "max_connections"] {
                #expect(lasting(recorded, name, main: main).count == 1, "\(word) \(name)")
            }
        }
    }

    @Test func `a library that waits for a restart is not loaded, but TimescaleDB`() {
        // It may have been mistyped, and the copy would not start.
        let wrong = "shared_preload_libraries = 'nosuch, b'\n"
        let lines = settings([Self.preload: "b"])
            .lasting(OwnSettings(main: "", automatic: wrong))
        #expect(lines.contains(Self.preload + " = 'b'"))
        #expect(lines.contains { $0.hasPrefix("#") && $0.hasSuffix("not loaded: nosuch") })
        let main = "shared_preload_libraries = 'timescaledb, b'\n"
        #expect(lasting([Self.preload: "b"], Self.preload, main: main).isEmpty)
        #expect(lasting([Self.preload: "b"], Self.preload, main: main, timescale: true).isEmpty)
        let less = lasting([Self.preload: ""], Self.preload, main: main)
        #expect(less == [Self.preload + " = 'timescaledb'"])
        let more = lasting([Self.preload: "a, b"], Self.preload, main: main)
        #expect(more == [Self.preload + " = 'timescaledb, a, b'"])
    }

    @Test func `another library of the name's kind is not TimescaleDB`() {
        let recorded = [Self.preload: "timescaledb_toolkit"]
        #expect(!settings(recorded).hasTimescale)
        #expect(settings([Self.preload: "$libdir/timescaledb, b"]).hasTimescale)
    }

    @Test func `where nothing is known, nothing is said of the libraries`() {
        for main in ["", "include 'x'\n", "shared_preload_libraries = 'b'\ninclude 'x'\n"] {
            #expect(lasting([:], Self.preload, main: main).isEmpty)
        }
    }

    @Test(arguments: [
        ([:], "", "'timescaledb'"), ([:], "shared_preload_libraries = 'b'", "'timescaledb, b'"),
        (["shared_preload_libraries": "b"], "", "'timescaledb, b'"),
        (["shared_preload_libraries": ""], "", "'timescaledb'"),
        (["shared_preload_libraries": "$libdir/timescaledb"], "", "'$libdir/timescaledb'"),
    ])
    func `TimescaleDB is loaded wherever a database has it`(
        recorded: [String: String], main: String, value: String
    ) {
        let lines = lasting(recorded, Self.preload, main: main, timescale: true)
        #expect(lines == [Self.preload + " = " + value])
        let isKnown = recorded[Self.preload]?.contains("timescaledb") == true
        #expect((settings(recorded, timescale: true).preloadWarning == nil) == isKnown)
        #expect(settings(recorded).preloadWarning == nil)
    }
}
