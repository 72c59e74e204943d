import Model
import Platform

/// Questions that several parts of the room ask.
enum Questions {
    /// INFO on a connection of its own, and the clocks compared; nil when INFO is not allowed to
    /// us.
    static func serverInfo(
        _ configuration: RedisConfiguration, _ state: RoomState, _ time: any TimeSource,
        wake: WakeSignal? = nil
    ) throws(TidemarkError) -> ServerInfo? {
        var connection = try Connection.open(configuration, wake: wake)
        _ = try compareClocks(&connection, state, time)
        return try info(&connection)
    }

    /// All default sections, or one; nil when INFO is not allowed to us.
    static func info(
        _ connection: inout Connection, section: String? = nil
    ) throws(TidemarkError) -> ServerInfo? {
        let words = section.map { ["INFO", $0] } ?? ["INFO"]
        return try connection.answerIfAllowed(words)?.text.map { ServerInfo($0) }
    }

    /// The server's version by HELLO, which needs no right; nil before 6.2.
    static func version(_ connection: inout Connection) throws(TidemarkError) -> RedisVersion? {
        let fields = try connection.ask(["HELLO"]).elements
        guard let place = fields.firstIndex(where: { $0.text == "version" }),
            place + 1 < fields.count
        else { return nil }
        return fields[place + 1].text.map { RedisVersion($0) }
    }

    /// The source's clock by TIME; nil when it is not allowed to us.
    @discardableResult
    static func compareClocks(
        _ connection: inout Connection, _ state: RoomState, _ time: any TimeSource
    ) throws(TidemarkError) -> CommitTime? {
        let asked = time.monotonic()
        guard let reply = try connection.answerIfAllowed(["TIME"]) else { return nil }
        let answered = time.monotonic()
        guard let source = clockTime(reply) else { return nil }
        state.saw(ClockOffset(source, asked: asked, answered: answered))
        return source
    }

    /// What an answer to TIME says: seconds and microseconds; nil for anything that is no time.
    static func clockTime(_ reply: Reply) -> CommitTime? {
        guard reply.elements.count == 2,
            let seconds = reply.elements[0].text.flatMap({ Int64($0) }),
            let micros = reply.elements[1].text.flatMap({ Int64($0) }),
            (0..<lastSecond).contains(seconds), (0..<1_000_000).contains(micros)
        else { return nil }
        return CommitTime(microseconds: seconds * 1_000_000 + micros)
    }

    /// The year 10000.
    private static let lastSecond: Int64 = 253_402_300_800
}
