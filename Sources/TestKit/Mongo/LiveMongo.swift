package import Model

/// A live server that speaks MongoDB's protocol, whichever it is.
package protocol LiveMongo: AnyObject, Sendable {
    /// Of this member, talked to directly.
    var url: String { get }
    /// Starts the server on its data, and waits until it answers.
    func start(seconds: Double) throws(TidemarkError)
    /// Ends it in good order.
    func stop(seconds: Double) throws(TidemarkError)
    /// Runs a Python script with pymongo; `client` is connected, and what it prints comes back.
    @discardableResult
    func python(_ script: String, seconds: Double) throws(TidemarkError) -> String
}

extension LiveMongo {
    /// The same within two minutes.
    @discardableResult
    package func run(_ script: String) throws(TidemarkError) -> String {
        try python(script, seconds: 120)
    }

    package func restart() throws(TidemarkError) {
        try stop(seconds: 60)
        try start(seconds: 120)
    }
}

extension SecantusServer: LiveMongo {}

/// The live servers that tests run against. SecantusDB is always there; a real mongod where it
/// could be had (see `MongodServer`).
package enum LiveMongoKind: String, Sendable, CustomStringConvertible {
    case secantus = "SecantusDB"
    case mongod

    package static let there: [LiveMongoKind] =
        MongodServer.program == nil ? [.secantus] : [.secantus, .mongod]

    /// Those that take what a 4.4 was recorded to have: no server takes data of a newer one.
    package static let targets = from(4, 4)

    /// Those whose change streams of a whole deployment can be archived.
    package static let withChangeStreams = from(4, 2)
    package static let withoutChangeStreams = there.filter { !withChangeStreams.contains($0) }

    /// Those whose change streams tell of indexes and options, too.
    package static let withExpandedEvents = from(6, 0)

    /// SecantusDB, and a mongod of this version or a newer one.
    private static func from(_ major: Int, _ minor: Int) -> [LiveMongoKind] {
        there.filter { $0 == .secantus || MongodServer.isAtLeast(major, minor) }
    }

    /// What of a server is otherwise than usual.
    package enum Setting: Sendable {
        /// The least oplog there can be: some thousand documents roll it over.
        case smallOplog
        /// Writes a no-op each second when nothing else is written.
        case quickNoops
    }

    package func start(_ settings: [Setting] = []) throws(TidemarkError) -> any LiveMongo {
        let words = settings.flatMap(words)
        switch self {
        case .secantus: return try SecantusServer.start(words)
        case .mongod: return try MongodServer.start(MongodServer.Options(arguments: words))
        }
    }

    private func words(_ setting: Setting) -> [String] {
        switch (self, setting) {
        case (.secantus, .smallOplog): ["--oplog-max-entries", "60"]
        case (.secantus, .quickNoops): ["--noop-heartbeat-seconds", "1"]
        case (.mongod, .smallOplog): ["--oplogSize", "1"]
        case (.mongod, .quickNoops): ["--setParameter", "periodicNoopIntervalSecs=1"]
        }
    }

    package var description: String { rawValue }
}
