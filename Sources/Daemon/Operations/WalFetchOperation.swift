import Glibc
package import Model
import Platform
import Recovery
import Repository

/// `wal fetch NAME PATH`: Postgres's restore_command.
package struct WalFetchOperation: Sendable {
    /// How a fetch ended. Anything else is an error, and ends with exit status 126.
    package enum Outcome: Sendable {
        /// The file lies at PATH, whole.
        case delivered
        /// The archive proves that nothing of this name exists: Postgres may end recovery.
        case endOfArchive
    }

    private let configuration: Configuration
    private let source: SourceID?
    private let name: String
    private let path: String
    private let until: String?
    private let retrySeconds: Double
    private let say: @Sendable (String) -> Void

    /// - Parameters:
    ///   - source: nil when the configuration or the archive has only one of the kind.
    ///   - until: where recovery stops, in the database's notation; nil for the archive's end.
    ///   - say: takes one line, without newline, when a fetch fails and is tried again.
    package init(
        _ configuration: Configuration, source: SourceID?, name: String, path: String,
        until: String? = nil, retrySeconds: Double = 60, say: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        self.source = source
        self.name = name
        self.path = path
        self.until = until
        self.retrySeconds = retrySeconds
        self.say = say
    }

    package func run() throws(TidemarkError) -> Outcome {
        let source = try ChosenSource.one(source, configuration)
        let replayer = try Rooms.replayer(.postgres)
        let fetch = WalFetch(
            FetchRequest(
                source: source, name: name, path: path, until: try stop(replayer),
                retrySeconds: retrySeconds, prefetch: try prefetch(source)),
            replayer, clock: SystemTimeSource(), say: say
        ) { () throws(TidemarkError) in try configuration.repository.archive() }
        var random = SystemRandomNumberGenerator()
        switch try fetch.run(using: &random) {
        case .delivered: return .delivered
        case .nothingFollows: return .endOfArchive
        }
    }

    private func stop(_ replayer: any Replayer) throws(TidemarkError) -> UInt64? {
        guard let until else { return nil }
        // How positions are written does not depend on the size of segments.
        guard let position = replayer.style(segmentBytes: 16 << 20).parse(until) else {
            throw TidemarkError(
                .usage, "\(until) is not a position", remedy: "write it as --until 0/3000060")
        }
        return position
    }

    /// Only where the server runs us: in its data directory.
    private func prefetch(_ source: SourceID) throws(TidemarkError) -> PrefetchLaunch? {
        guard unsafe access("PG_VERSION", F_OK) == 0, !path.hasPrefix("/") else { return nil }
        return PrefetchLaunch(
            program: try OwnProgram.path(),
            arguments: [
                "wal", "prefetch", "--repository", configuration.repository.url.description,
                "--source", source.name,
            ])
    }
}
