import ArgumentParser
import Daemon
import Glibc
import Model
import Platform

/// `tidemark restore`
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Brings sources back to one moment.",
        discussion: """
            TARGET: latest, a time with zone (2026-11-22T12:00:00.250Z; everything
            committed at or before it is there, nothing after it), point:NAME,
            before:EVENT (just before what find lists), lsn:0/3000060,
            xid:1234 (that transaction is there too), offset:REPLID:12345,
            optime:1703678400.1.
            DEST: a directory (each source gets DIR/<source>), or, repeated,
            SOURCE=DIR, for any source; SOURCE=redis://… for a Redis and
            SOURCE=mongodb://… for a MongoDB: a live, empty server that is filled.
            It is never the server that the source is archived from.

            Without --start the result is ready for its server's own first start.
            A folder of MongoDB is a dump for mongorestore: it is written with --start
            too, and says that no server is started for it.
            Needs the archive alone. What cannot be reached exactly is refused, with
            the nearest reachable moments.
            Ended by SIGINT (Ctrl-C, status 130) or SIGTERM (143) it says what it
            leaves, and what to do.

            Example:
              tidemark restore --to 2026-11-22T12:00:00Z --into /srv/restored --start
              tidemark restore --to point:monday --into shop=mongodb://db:27018/
            """)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var archive: ArchiveOptions
    @OptionGroup(title: "What and where to") var choice: RestoreOptions
    @OptionGroup(title: "The server") var server: RestoredServerOptions

    @Flag(help: "Print the plan and change nothing.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        var request = try choice.request()
        request.isDryRun = dryRun
        try server.apply(to: &request)
        let operation = RestoreOperation(
            try archive.load(file), request, progress: ProgressLine(),
            leaves: { LastWords.set($0) })
        guard !json else { return try runForPrograms(operation) }
        // Told as soon as it is done: the next source may fail.
        let done = try operation.run { source in
            Output.note(RestoreView.summary(source))
            if let url = source.url { Output.result(url + "\n") }
        }
        if dryRun { Output.result(RestoreView.plan(done.report)) }
        try done.conclude()
    }

    /// One document, whether or not all could be restored: what runs must be known.
    private func runForPrograms(_ operation: RestoreOperation) throws {
        var told = RestoreReport(sources: [])
        let done: CompletedRestore
        do {
            done = try operation.run { told.sources.append($0) }
        } catch {
            if !told.sources.isEmpty { Output.result(try JSONText.encode(told)) }
            throw error
        }
        Output.result(try JSONText.encode(done.report))
        try done.conclude()
    }
}
