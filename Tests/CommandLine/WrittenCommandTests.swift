import ArgumentParser
import Glibc
import Testing

@testable import tidemark

/// Every command of ours that a document or the service file shows is one that the program takes.
@Suite struct WrittenCommandTests {
    /// Ends in `/`.
    private static let root: String = {
        let here = #filePath
        guard let tests = here.ranges(of: "Tests/CommandLine/").last else { return "./" }
        return String(here[..<tests.lowerBound])
    }()

    private static func lines(_ path: String) throws -> [String] {
        let file = try #require(fopen(root + path, "r"), "\(path) cannot be read")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while true {
            let byte = fgetc(file)
            guard byte != EOF else { break }
            bytes.append(UInt8(byte))
        }
        return String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The words behind the program's name in one line of a shell; nil when it is not ours. Knows
    /// quotes, `NAME=value` and a change of user in front, and ends at a comment or a pipe.
    static func arguments(_ line: String) -> [String]? {
        var words = split(line)
        if words.first == "$" || words.first == "#" { words.removeFirst() }
        while let first = words.first, first.contains("="), !first.hasPrefix("-") {
            words.removeFirst()
        }
        if words.starts(with: ["runuser", "-u"]), let end = words.firstIndex(of: "--") {
            words.removeSubrange(...end)
        }
        guard let program = words.first, program.split(separator: "/").last == "tidemark" else {
            return nil
        }
        return Array(words.dropFirst())
    }

    private static func split(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for sign in line {
            if let open = quote {
                if sign == open { quote = nil } else { word = (word ?? "") + String(sign) }
            } else if sign == "'" || sign == "\"" {
                quote = sign
                word = word ?? ""
            } else if sign == " " {
                if let word { words.append(word) }
                word = nil
            } else if (sign == "#" && word == nil && !words.isEmpty) || sign == "|" || sign == ">" {
                break
            } else {
                word = (word ?? "") + String(sign)
            }
        }
        if let word { words.append(word) }
        return words
    }

    /// Code blocks of a document: indented by four blanks.
    private static func commands(in path: String) throws -> [(line: Int, arguments: [String])] {
        try lines(path).enumerated().compactMap { number, line in
            guard line.hasPrefix("    "), let words = arguments(line) else { return nil }
            return (number + 1, words)
        }
    }

    @Test(arguments: ["README.md", "Documentation/Operating.md"])
    func `each command of a document is understood`(path: String) throws {
        let found = try Self.commands(in: path)
        #expect(found.count > 5)
        for (line, words) in found {
            #expect(throws: Never.self, "\(path):\(line): tidemark \(words)") {
                _ = try Tidemark.parseAsRoot(words)
            }
        }
    }

    @Test func `the service file starts the sidecar with the installed configuration`() throws {
        let lines = try Self.lines("Deploy/systemd/tidemark.service")
        let starts = lines.filter { $0.hasPrefix("ExecStart=") }
        #expect(starts.count == 1)
        let line = try #require(starts.first).dropFirst("ExecStart=".count)
        let words = try #require(Self.arguments(String(line)))
        let command = try #require(try Tidemark.parseAsRoot(words) as? RunCommand)
        #expect(command.file.path == "/etc/tidemark/tidemark.yml")
        for setting in [
            "User=tidemark", "NoNewPrivileges=yes", "ProtectSystem=strict",
            "ReadWritePaths=/var/lib/tidemark", "CapabilityBoundingSet=", "Restart=on-failure",
            "RestartSec=5s", "TimeoutStopSec=60s", "UMask=0027",
        ] {
            #expect(lines.contains(setting), "\(setting)")
        }
    }

    @Test(arguments: [
        ("    tidemark check", ["check"]),
        ("    $ runuser -u postgres -- tidemark status --json | head", ["status", "--json"]),
        ("    A=b tidemark mark 'two words'   # why", ["mark", "two words"]),
        ("    tidemarks check", nil), ("    install -m 755 tidemark x", nil),
    ])
    func `a command is found in a line of a shell`(line: String, words: [String]?) {
        #expect(Self.arguments(line) == words)
    }
}
