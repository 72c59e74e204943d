import Model

/// Whether an oplog holds what its server says it wrote last (`lastWrite` of `hello`).
///
/// Of mongod it does: the entry is written before it is told of. There are others that speak the
/// protocol and count on without writing entries. The end that they tell of never comes: a base
/// backup would wait for it, and nothing would ever be proved.
enum OplogEnd {
    /// Looks so often, so many seconds apart, before it is sure: one that writes no-ops comes near.
    private static let looks = 15
    private static let pauseSeconds = 0.2

    /// - Parameter pause: waits so many seconds.
    /// - Throws: `sourceRefused` when the oplog stays behind.
    static func check(
        _ connection: Connection, _ hello: Hello, _ member: Connection.Member,
        _ configuration: MongoConfiguration, pause: (Double) -> Void
    ) throws(TidemarkError) {
        guard let told = hello.newest else { return }
        var end = OpTime.zero
        for look in 0..<looks {
            if look > 0 { pause(pauseSeconds) }
            end = try Questions.newestInOplog(connection, member) ?? .zero
            if end >= told { return }
        }
        throw TidemarkError(
            .sourceRefused,
            "MongoDB at \(configuration.place) says that it wrote \(told) last, and its oplog ends "
                + "at \(end): the end of such an oplog cannot be told",
            remedy: "it is no mongod; follow its change streams: mode=changeStream in the source's "
                + "url")
    }
}
