import ArgumentParser
import Daemon
import Model

/// `tidemark mark`
struct MarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mark",
        abstract: "Makes a restore point in every source at once.",
        discussion: """
            Returns when the point is archived everywhere; then
            `restore --to point:NAME` reaches it.

            Example:
              tidemark mark before-release-42
            """)

    @OptionGroup var file: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "The name of the restore point.")
    var name: String

    func validate() throws {
        // Postgres keeps 63 bytes of a restore point's name.
        let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        guard isPlain, (1...63).contains(name.utf8.count) else {
            throw ValidationError("a restore point's name has 1 to 63 bytes and no blanks")
        }
    }

    func run() throws {
        let points = try MarkOperation(try file.load(), name: name).run()
        let views = points.map { MarkView(source: $0.source, point: $0.point) }
        Output.result(json ? try JSONText.encode(views) : MarkView.text(views))
    }
}
