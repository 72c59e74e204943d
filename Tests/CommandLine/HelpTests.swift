import ArgumentParser
import Testing

@testable import tidemark

@Suite struct HelpTests {
    /// Every command of the tree.
    private static func commands(
        below command: any ParsableCommand.Type = Tidemark.self
    ) -> [any ParsableCommand.Type] {
        [command] + command.configuration.subcommands.flatMap { commands(below: $0) }
    }

    @Test func `every command of the contract is there`() {
        let names = Self.commands().map { $0.configuration.commandName ?? "" }
        for name in [
            "init", "check", "run", "backup", "status", "list", "mark", "restore", "verify", "wal",
            "fetch", "push", "export",
        ] {
            #expect(names.contains(name))
        }
    }

    @Test func `every command says what it does, and shows an example`() {
        for command in Self.commands() {
            let configuration = command.configuration
            #expect(!configuration.abstract.isEmpty)
            #expect(configuration.discussion.contains("Example"), "\(command)")
            // Longer lines are broken by the parser, in ugly places.
            for line in configuration.discussion.split(separator: "\n") {
                #expect(line.count <= 80, "\(command): \(line)")
            }
        }
    }

    @Test func `the examples parse`() throws {
        for command in Self.commands() {
            let text = command.configuration.discussion.replacing("\\\n", with: " ")
            for line in text.split(separator: "\n") where line.hasPrefix("  tidemark ") {
                let words = line.split(separator: " ").dropFirst().map {
                    $0.trimmingPrefix("'").replacing("'", with: "")
                }
                #expect(throws: Never.self, "\(line)") {
                    try Tidemark.parseAsRoot(words.map { String($0) })
                }
            }
        }
    }
}
