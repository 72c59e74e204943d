import ArgumentParser
import Daemon
import Model

/// What is restored, to which moment, into which places.
struct RestoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Where to stop; see above.", valueName: "target"),
        transform: RestoreOptions.target)
    var to: RecoveryTarget

    @Option(
        help: ArgumentHelp("Where the result goes; may be repeated.", valueName: "dest"))
    var into: [String]

    @Option(
        name: .customLong("source"),
        help: ArgumentHelp("Only this source; may be repeated.", valueName: "name"))
    var sources: [SourceID] = []

    @Option(
        help: ArgumentHelp(
            "The timeline to follow; sources without it, and else all, follow their newest.",
            valueName: "id"))
    var timeline: String?

    @Option(
        name: .customLong("tablespace"),
        help: ArgumentHelp("Another place for a tablespace; may be repeated.", valueName: "old=new")
    )
    var tablespaces: [String] = []

    @Option(
        help: ArgumentHelp(
            "Redis keys that expire: keep (as they would have), shift (by the time since the "
                + "target), persist (never).", valueName: "policy"))
    var expiry = ExpiryPolicy.keep

    @Flag(
        help: """
            Replace what a destination holds: all of it is lost. Never an archive, and never the \
            server that is archived.
            """)
    var force = false

    static func target(_ text: String) throws -> RecoveryTarget {
        guard let target = RecoveryTarget(text) else {
            if CommitTime(text + "Z") != nil {
                throw ValidationError(
                    "the time's zone is missing: \(text)Z for UTC, or \(text)+01:00")
            }
            throw ValidationError(
                "a target is latest, a time with zone (2026-11-22T12:00:00Z), point:NAME, "
                    + "before:EVENT, lsn:0/3000060, xid:1234, offset:REPLID:12345 or "
                    + "optime:1703678400.1")
        }
        return target
    }

    /// The request without what concerns the server.
    func request() throws(TidemarkError) -> RestoreRequest {
        var request = RestoreRequest(target: to)
        request.sources = sources
        request.timeline = timeline.map { TimelineID($0) }
        request.force = force
        request.expiry = expiry
        for text in into { try Self.add(text, to: &request) }
        for text in tablespaces {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, parts.allSatisfy({ $0.hasPrefix("/") }) else {
                throw TidemarkError(
                    .usage, "--tablespace \(text) is not OLD=NEW with two absolute paths",
                    remedy: "for example --tablespace /mnt/fast=/srv/restored/fast")
            }
            request.tablespaces[parts[0]] = parts[1]
        }
        return request
    }

    /// `DIR`, or `SOURCE=DIR|URL`. A directory whose name has a `=` is written with a leading `./`.
    private static func add(_ text: String, to request: inout RestoreRequest) throws(TidemarkError)
    {
        guard let equals = text.firstIndex(of: "="), let source = SourceID(String(text[..<equals]))
        else {
            guard !text.contains("://") else {
                throw TidemarkError(
                    .usage, "--into names a URL, and not which source goes there",
                    remedy: "write --into SOURCE=URL, with the name that the source has in "
                        + "`tidemark list`")
            }
            guard request.folder == nil else {
                throw TidemarkError(
                    .usage, "--into names two directories for every source",
                    remedy: "write --into SOURCE=DIR for each source")
            }
            request.folder = text
            return
        }
        let value = String(text[text.index(after: equals)...])
        guard !value.isEmpty, request.places[source] == nil else {
            throw TidemarkError(
                .usage, "--into names no place, or two, for \(source)",
                remedy: "write --into \(source)=DIR once")
        }
        let server = SourceURL(value)
        guard server != nil || !value.contains("://") else {
            throw TidemarkError(
                .usage, "--into \(source)= names a URL that is of no database",
                remedy: "write \(source)=DIR, \(source)=mongodb://HOST:PORT/ or "
                    + "\(source)=redis://HOST:PORT")
        }
        request.places[source] = server.map { .server($0) } ?? .directory(value)
    }
}
