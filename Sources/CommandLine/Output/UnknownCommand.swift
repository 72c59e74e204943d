import ArgumentParser
import Daemon

/// A word where a command should stand: the parser only calls it unexpected.
enum UnknownCommand {
    /// What to say; nil when every command of the line exists, or its options hide which is meant.
    static func complaint(_ arguments: [String]) -> String? {
        var group: any ParsableCommand.Type = Tidemark.self
        var path = "tidemark"
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word == "--config" {
                _ = rest.popFirst()
                continue
            }
            if word.hasPrefix("--config=") { continue }
            let commands = group.configuration.subcommands
            guard !commands.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
            guard let next = commands.first(where: { $0.configuration.commandName == word }) else {
                return complaint(word, path, commands)
            }
            group = next
            path += " " + word
        }
        return nil
    }

    private static func complaint(
        _ word: String, _ path: String, _ commands: [any ParsableCommand.Type]
    ) -> String {
        let names = commands.filter { $0.configuration.shouldDisplay }
            .compactMap { $0.configuration.commandName }
        let list = "`\(path) --help` lists them"
        let nearest = Suggestion.nearest(to: word, among: names)
        let advice = nearest.map { "did you mean `\(path) \($0)`? \(list)" } ?? list
        return "there is no command `\(path) \(word)`\n\(advice)"
    }
}
