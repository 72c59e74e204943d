package import Model
import Platform

/// Stands between a client and a live server and holds up one command for ever, so that the client
/// can be killed at that very point. Everything else passes as it is.
package final class MongoHold: Sendable {
    /// What of the command is held up.
    package enum Side: Sendable { case question, answer }

    private let relay: LoopbackRelay
    private let isHeld: Monitor<Bool>

    /// - Parameter words: all of them stand in the command that is held up.
    package init(
        _ server: Int, _ side: Side, of words: [String]
    ) throws(TidemarkError) {
        let isHeld = Monitor(false)
        self.isHeld = isHeld
        relay = try LoopbackRelay(to: server) { link in
            Self.serve(link, side, words, isHeld)
        }
    }

    package var port: Int { relay.port }
    package var url: String { "mongodb://127.0.0.1:\(port)" }

    /// Waits until the command has come, and, where its answer is held up, that too.
    package func waitHeld(seconds: Double = 60) throws(TidemarkError) {
        guard isHeld.wait(seconds: seconds, { $0 ? true : nil as Bool? }) == true else {
            throw TidemarkError(.failed, "no such command came within \(seconds) s")
        }
    }

    private static func serve(
        _ link: LoopbackRelay.Link, _ side: Side, _ words: [String], _ isHeld: Monitor<Bool>
    ) {
        var holdsAnswer = false
        /// Until the client is gone.
        func hold() -> Bool {
            isHeld.update { $0 = true }
            while LoopbackRelay.Link.read(link.client) != nil {}
            return false
        }
        link.run { answer in
            holdsAnswer ? hold() : LoopbackRelay.Link.pass(answer, to: link.client)
        } _: { bytes in
            // A short command comes in one piece.
            let text = String(decoding: bytes, as: UTF8.self)
            if words.allSatisfy({ text.contains($0) }) {
                if side == .question { return hold() }
                holdsAnswer = true
            }
            return LoopbackRelay.Link.pass(bytes, to: link.upstream)
        }
    }
}
