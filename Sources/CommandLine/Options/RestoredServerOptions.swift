import ArgumentParser
import Daemon
import Glibc
import Model

/// Whether the restored server is started, and as whom.
struct RestoredServerOptions: ParsableArguments {
    @Flag(help: "Start the server, bring it to the target, print its URL, and leave it running.")
    var start = false

    @Option(help: ArgumentHelp("The server's port; else a free one.", valueName: "number"))
    var port: UInt16?

    @Option(
        help: ArgumentHelp(
            "The user that owns the result and runs the server; needed by root.", valueName: "name")
    )
    var user: String?

    @Option(
        name: .customLong("pg-bin"),
        help: ArgumentHelp(
            "Where pg_ctl of the right version is; else PATH and the usual places.",
            valueName: "folder"))
    var programs: [String] = []

    func validate() throws {
        if port != nil, !start { throw ValidationError("--port needs --start") }
        if port == 0 { throw ValidationError("--port is a number from 1 to 65535") }
    }

    func apply(to request: inout RestoreRequest) throws(TidemarkError) {
        request.starts = start
        request.port = port
        request.user = user
        request.programs = programs
        let writesFiles =
            request.folder != nil
            || request.places.values.contains { place in
                if case .directory = place { true } else { false }
            }
        if geteuid() == 0, user == nil, writesFiles {
            throw TidemarkError(
                .usage, "restore runs as root, but no database server does",
                remedy: "name the user that shall own the result, for example --user postgres")
        }
    }
}
