package import Model

/// A live server that speaks MongoDB's protocol, whichever it is.
package protocol LiveMongo: AnyObject, Sendable {
    /// Of this member, talked to directly.
    var url: String { get }
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
    package static let targets = there.filter {
        $0 == .secantus || MongodServer.isAtLeast(4, 4)
    }

    package func start() throws(TidemarkError) -> any LiveMongo {
        switch self {
        case .secantus: try SecantusServer.start()
        case .mongod: try MongodServer.start()
        }
    }

    package var description: String { rawValue }
}
