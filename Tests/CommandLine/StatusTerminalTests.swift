import FoundationEssentials
import Glibc
import Model
import Platform
import TestKit
import Testing

@testable import tidemark

/// Colours and redrawing are for terminals; everybody else gets plain text.
@Suite(.timeLimit(.minutes(2)))
struct StatusTerminalTests {
    private static let escape = "\u{1B}["

    @Test func `colours stand on a terminal and nowhere else`() async throws {
        try await offPool {
            let archive = try StatusArchive()
            let terminal = TestTerminal(rows: 40, columns: 200)
            let words = ["status", "--repository", "file://" + archive.path]
            let shown = try terminal.run(words)
            #expect(shown.contains(Self.escape + "1mSOURCE"), "\(shown)")
            #expect(shown.contains(Self.escape + "33mledger: "), "\(shown)")
            // The same words, without anything else.
            let plain = try archive.run([]).output
            #expect(plain.hasPrefix("SOURCE  KIND") && !plain.contains("\u{1B}"))
            let lines = try terminal.screen(shown).lines.joined(separator: "\n")
            for word in plain.split(whereSeparator: \.isWhitespace) where !word.contains("T") {
                #expect(lines.contains(word), "\(word)")
            }
        }
    }

    @Test(arguments: [["TERM": "xterm", "NO_COLOR": "1"], ["TERM": "dumb"]])
    func `a terminal that wants none gets none`(environment: [String: String]) async throws {
        try await offPool {
            let archive = try StatusArchive()
            let shown = try TestTerminal(rows: 40, columns: 200).run(
                ["status", "--repository", "file://" + archive.path], environment: environment)
            #expect(shown.hasPrefix("SOURCE") && !shown.contains("\u{1B}"), "\(shown)")
        }
    }

    @Test func `JSON is JSON on a terminal too`() async throws {
        try await offPool {
            let archive = try StatusArchive()
            let shown = try TestTerminal(rows: 40, columns: 80).run(
                ["status", "--json", "--repository", "file://" + archive.path])
            #expect(!shown.contains("\u{1B}"))
            #expect(try StatusReport.first(of: shown).objective == "breached")
        }
    }

    /// Rows and columns; a screen that holds everything, one on which lines wrap, one too small.
    @Test(arguments: [(24, 200), (12, 80), (4, 80)])
    func `watching redraws in place`(rows: Int, columns: Int) async throws {
        try await offPool {
            let archive = try StatusArchive()
            let terminal = TestTerminal(rows: rows, columns: columns)
            let process = try terminal.start(
                ["status", "--watch", "--repository", "file://" + archive.path])
            defer {
                process.signal(SIGKILL)
                process.wait()
            }
            #expect(
                process.waitForOutput(seconds: 60) { output, _ in
                    output.ranges(of: Self.escape + "J").count >= 3
                })
            // Up to the end of a drawing: the next may have begun.
            let written = process.output
            let end = try #require(written.ranges(of: Self.escape + "J").last).upperBound
            let (lines, rolled) = try terminal.screen(String(written[..<end]))
            #expect(rolled == 0)
            let text = lines.joined(separator: "\n")
            #expect(lines[0].hasPrefix("SOURCE  KIND"), "\(text)")
            #expect(text.ranges(of: "SOURCE").count == 1, "\(text)")
            #expect(text.contains("more lines than this window shows") == (rows == 4), "\(text)")
            #expect(!written.contains(Self.escape + "2J"), "a blank screen in between flickers")
        }
    }

    @Test func `watched elsewhere there is one plain table after the other`() async throws {
        try await offPool {
            let archive = try StatusArchive()
            let process = try TidemarkProcess(
                ["status", "--watch", "--repository", "file://" + archive.path])
            #expect(
                process.process.waitForOutput(seconds: 60) { output, _ in
                    output.ranges(of: "SOURCE  KIND").count >= 2
                })
            #expect(!process.process.output.contains("\u{1B}"))
            process.kill9()
        }
    }

    @Test func `what is longer than the screen is cut with a word about it`() {
        let text = (1...9).map { "line \($0)\n" }.joined()
        let all = Redraw.over(text, .init(rows: 10, columns: 20))
        #expect(all.contains("line 9") && !all.contains("more lines"))
        let cut = Redraw.over(text, .init(rows: 9, columns: 20))
        #expect(cut.contains("line 7") && !cut.contains("line 8"))
        #expect(cut.contains("2 more lines than this window shows"))
        // A line that wraps takes two rows; colours take none.
        let wide = "\u{1B}[31m" + String(repeating: "x", count: 20) + "\u{1B}[0m\n"
        #expect(!Redraw.over(wide, .init(rows: 2, columns: 20)).contains("more lines"))
        #expect(Redraw.over(wide, .init(rows: 2, columns: 19)).contains("more lines"))
    }
}
