import FoundationEssentials
import Model
import Platform
import TestKit
import Testing

/// A configuration and an archive beside a test server, and the program that uses them.
final class SidecarHarness: SidecarUse, Sendable {
    let server: PostgresServer
    let folder: String
    let archive: String
    let config: String
    var user: UserIdentity? { PostgresTools.user }

    /// - Parameter lines: more of the configuration, whole lines.
    init(
        _ server: PostgresServer, url: String? = nil, rpo: String = "15m", name: String = "side",
        compression: String = "lz4", lines: [String] = []
    ) throws {
        self.server = server
        folder = try server.makeDirectory(name)
        archive = folder + "/archive"
        config = folder + "/tidemark.yml"
        let isWatched = lines.contains { $0.hasPrefix("monitoring") }
        let text =
            ([
                "repository: { url: \"file://\(archive)\", compression: \(compression) }",
                "sources:",
                "  ledger: { url: \"\(url ?? server.url())\", rpo: \(rpo) }",
            ] + lines + (isWatched ? [] : ["monitoring: { listen: none }"])).joined(separator: "\n")
            + "\n"
        try server.run("/bin/sh", ["-c", "cat > \"$0\"", config], input: Array(text.utf8))
    }

    /// The server's clock, to the microsecond, as a target.
    func moment() throws -> String {
        try server.psql(
            """
            select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            """)
    }

    /// How far the archive is proved, whether or not a base backup makes that restorable.
    func proved() throws -> String {
        let text = try server.run("/bin/cat", [archive + "/ledger/watermark.json"]).output
        return try JSONDecoder().decode(MarkView.self, from: Data(text.utf8)).restorableTo ?? ""
    }

    private struct MarkView: Decodable {
        var restorableTo: String?

        enum CodingKeys: String, CodingKey { case restorableTo = "restorable_to" }
    }

    /// Waits until everything committed at or before `moment` is proved.
    func waitProved(_ moment: String, seconds: Double = 60) throws {
        let bound = moment.prefix(23) + "Z"
        try eventually("\(moment) is proved", seconds: seconds) {
            guard let proved = try? proved() else { return false }
            return proved > bound
        }
    }

    /// Restores, starts the copy, hands its URL over, and stops it.
    func restored<Value>(
        to target: String, name: String = "copy", _ comment: Comment? = nil,
        _ body: (String) throws -> Value
    ) throws -> Value {
        let into = folder + "/" + name
        let done = try tidemark(
            ["restore", "--to", target, "--into", into, "--start"], seconds: 150)
        try #require(
            done.status.isSuccess, "restore said: \(done.errors) (\(comment ?? ""))")
        defer {
            do {
                try server.run(
                    "pg_ctl", ["-D", into + "/ledger", "-m", "immediate", "-w", "stop"])
            } catch { Issue.record("the copy was not stopped: \(error)") }
        }
        let url = done.output.split(separator: "\n").last.map(String.init) ?? ""
        return try body(url)
    }

    /// Asks a restored server.
    func ask(_ url: String, _ sql: String) throws -> String {
        let text = try server.run(
            "psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, url]
        ).output
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// Every file of the archive that ends in `.lz4` and holds a WAL segment, sorted by name.
    func segments() throws -> [String] {
        try server.run(
            "/bin/sh",
            [
                "-c",
                "find \"$0\" -path '*/wal/*' -regextype posix-extended "
                    + "-regex '.*/[0-9A-F]{24}\\.lz4' | sort", archive,
            ]
        ).output.split(separator: "\n").map(String.init)
    }

    /// Every segment of the archive that pg_receivewal has whole too is equal to its file, byte by
    /// byte, and every one it has is in the archive from its first on. Returns how many.
    func expectSameAs(
        _ peer: ReceiveWal, _ comment: Comment? = nil, location: SourceLocation = #_sourceLocation
    ) throws -> Int {
        let script = """
            count=0
            for f in $(ls "$0" | grep -E '^[0-9A-F]{24}$'); do
                of=$(find "$1" -path "*/wal/*" -name "$f.lz4")
                [ -n "$of" ] || { echo "$f is not in the archive"; continue; }
                lz4 -dc "$of" | cmp - "$0/$f" || echo "$f differs"
                count=$((count + 1))
            done
            echo "$count"
            """
        let found = try server.run(
            "/bin/bash", ["-c", script, peer.folder, archive], seconds: 300
        ).output.split(separator: "\n")
        #expect(found.count == 1, comment, sourceLocation: location)
        return Int(found.last ?? "") ?? 0
    }

    /// Every segment, decompressed by lz4 itself, is the server's own file; none is missing.
    func expectSameFiles(
        _ comment: Comment? = nil, location: SourceLocation = #_sourceLocation
    ) throws {
        let script = """
            previous=
            for f; do
                name=$(basename "$f" .lz4)
                lz4 -dc "$f" | cmp - "$0/$name" || echo "$name differs"
                next=$(ls "$0" | grep -E '^[0-9A-F]{24}$' | grep -A1 "^$previous" | tail -n 1)
                [ -z "$previous" ] || [ "$name" = "$next" ] ||
                    echo "hole between $previous and $name"
                previous=$name
            done
            """
        let found = try server.run(
            "/bin/bash", ["-c", script, server.pgData + "/pg_wal"] + segments(), seconds: 300)
        #expect(found.output.isEmpty, comment, sourceLocation: location)
    }
}
