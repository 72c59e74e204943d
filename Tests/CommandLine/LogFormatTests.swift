import FoundationEssentials
import Glibc
import Model
import Platform
import TestKit
import Testing

/// The log of `run`: text for who sits at a terminal, JSON for who collects it.
@Suite(.timeLimit(.minutes(2)))
struct LogFormatTests {
    private struct Line: Decodable {
        var time: String
        var level: String
        var message: String
        var source: String?
    }

    /// `run` with a source that nobody serves.
    private static func words(_ scratch: ScratchDirectory, _ more: [String]) -> [String] {
        [
            "run", "postgresql://tidemark@127.0.0.1:1/ledger", "--repository",
            "file://\(scratch.path)/archive",
        ] + more
    }

    /// Whole lines that were written until the failure of the source was told.
    private static func lines(
        _ process: Subprocess, _ text: (String, String) -> String
    ) throws -> [Substring] {
        defer {
            process.signal(SIGKILL)
            process.wait()
        }
        let isTold = process.waitForOutput(seconds: 60) {
            text($0, $1).split(separator: "\n").contains { $0.contains("state is connecting") }
        }
        guard isTold else {
            throw TidemarkError(.failed, "no line came: \(process.output) \(process.errors)")
        }
        let written = text(process.output, process.errors)
        // The last line may be under way.
        return written.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    }

    private static func expectJSON(_ lines: [Substring]) throws {
        #expect(!lines.isEmpty)
        for line in lines {
            let entry = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
            #expect(CommitTime(entry.time) != nil && !entry.message.isEmpty)
            #expect(["info", "notice", "warning", "error"].contains(entry.level), "\(line)")
        }
    }

    /// `2026-11-22T12:00:00.000Z info message key=value`
    private static func expectText(_ lines: [Substring]) {
        #expect(!lines.isEmpty)
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 2)
            #expect(words.count == 3 && CommitTime(String(words[0])) != nil, "\(line)")
            #expect(["info", "notice", "warning", "error"].contains(words[1]), "\(line)")
        }
    }

    @Test func `elsewhere than on a terminal it is JSON, one line per event`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let sidecar = try TidemarkProcess(Self.words(scratch, []))
            let lines = try Self.lines(sidecar.process) { $1 }
            try Self.expectJSON(lines)
            // The source is a field of its own.
            let entries = try lines.map {
                try JSONDecoder().decode(Line.self, from: Data($0.utf8))
            }
            #expect(entries.contains { $0.source == "ledger" && $0.level == "info" })
            #expect(sidecar.process.output.isEmpty)
        }
    }

    @Test func `on a terminal it is text`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let process = try TestTerminal(rows: 24, columns: 80).start(Self.words(scratch, []))
            let lines = try Self.lines(process) { output, _ in
                output.replacing("\r\n", with: "\n")
            }
            Self.expectText(lines)
        }
    }

    @Test func `either can be had in the other's place`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let text = try TidemarkProcess(Self.words(scratch, ["--log-format", "text"]))
            Self.expectText(try Self.lines(text.process) { $1 })
            let other = try ScratchDirectory()
            let json = try TestTerminal(rows: 24, columns: 80).start(
                Self.words(other, ["--log-format", "json"]))
            try Self.expectJSON(
                try Self.lines(json) { output, _ in output.replacing("\r\n", with: "\n") })
        }
    }
}
