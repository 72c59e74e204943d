import Glibc
import Model
import Platform

/// A client's view of a source beside the number that a sidecar shows of it: what a restore owes
/// the client, should both die now.
package enum ShownExposure {
    /// Looks at a client for so many seconds, and at the exposure at the very end. Returns what was
    /// acknowledged at least that long before: a copy must have all of it.
    ///
    /// Throws `failed` when a minute later the exposure still goes back to before the first answer.
    ///
    /// - Parameters:
    ///   - port: where the sidecar, of one source, serves `/metrics`.
    ///   - acknowledged: everything that was acknowledged up to now, in the order of the answers.
    package static func owed(
        after seconds: Double, port: Int, acknowledged: () throws -> [Int]
    ) throws -> [Int] {
        let end = SocketWait.now() + seconds
        var looks: [(at: Double, count: Int)] = []
        while true {
            let asked = SocketWait.now()
            let all = try acknowledged()
            // Told before the answer came, at the latest.
            looks.append((SocketWait.now(), all.count))
            guard asked >= end else {
                poll(nil, 0, 20)
                continue
            }
            let shownAt = SocketWait.now()
            if let exposure = try LoopbackHTTP.metric(port, "tidemark_exposure_seconds"),
                let known = looks.last(where: { $0.at <= shownAt - exposure }), known.count > 0
            {
                return Array(all[..<known.count])
            }
            guard asked < end + 60 else {
                throw TidemarkError(.failed, "no exposure is shown that owes anything")
            }
        }
    }

    /// `TIDEMARK_HONESTY_ROUNDS`, else 2; 200 is the goal's.
    package static let rounds =
        getenv("TIDEMARK_HONESTY_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 2

    /// `TIDEMARK_HONESTY_SEED` repeats a run's pauses.
    package static let seed =
        getenv("TIDEMARK_HONESTY_SEED").flatMap { UInt64(String(cString: $0)) }
        ?? UInt64.random(in: 1...1_000_000_000)

    /// Kills both, either first, and the other at once or some moments later.
    package static func killBoth(
        _ sidecar: TidemarkProcess, using random: inout SeededRandom, source: () throws -> Void
    ) throws {
        let later = Int32.random(in: -200...200, using: &random)
        if Bool.random(using: &random) {
            sidecar.kill9()
            poll(nil, 0, max(0, later))
            try source()
        } else {
            try source()
            poll(nil, 0, max(0, later))
            sidecar.kill9()
        }
    }
}
