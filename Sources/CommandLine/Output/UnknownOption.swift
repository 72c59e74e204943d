import ArgumentParser
import Daemon

/// An option that the command does not have. The parser tells of it only when nothing else is
/// wrong: `backup --repository X` it answers by calling X no source.
enum UnknownOption {
    /// What to say; nil when every option of the line exists.
    static func complaint(_ arguments: [String]) -> String? {
        var commands: [any ParsableCommand.Type] = [Tidemark.self]
        var path = "tidemark"
        for word in arguments {
            guard
                let next = commands.last?.configuration.subcommands.first(where: {
                    $0.configuration.commandName == word
                })
            else { continue }
            commands.append(next)
            path += " " + word
        }
        let known = commands.flatMap(options)
        let given = arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }
            .map { String($0.prefix { $0 != "=" }) }
        guard let strange = given.first(where: { !known.contains($0) }) else { return nil }
        let list = "`\(path) --help` lists them"
        let nearest = Suggestion.nearest(to: strange, among: known)
        let advice = nearest.map { "did you mean \($0)? \(list)" } ?? list
        return "`\(path)` has no option \(strange)\n\(advice)"
    }

    /// From its help: `  -h, --help   Show …`.
    private static func options(_ command: any ParsableCommand.Type) -> [String] {
        var names: [String] = []
        for line in Tidemark.helpMessage(for: command, includeHidden: true).split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "," || $0 == "/" }
            guard words.first?.hasPrefix("-") == true else { continue }
            names += words.prefix { $0.hasPrefix("-") }.map(String.init)
        }
        return names
    }
}
