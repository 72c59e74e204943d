import Model
import Testing

@testable import Monitoring

struct StreamHealthTests {
    private func at(_ second: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(second * 1e9))
    }

    private func connected(progress: Double, answer: Double) -> StreamObservation {
        var seen = StreamObservation(lastProgress: at(progress))
        seen.isConnected = true
        seen.lastAnswer = at(answer)
        seen.archived = 100
        seen.bound = 100
        return seen
    }

    @Test func `idle at the bound is streaming`() {
        #expect(StreamState(connected(progress: 10, answer: 10), now: at(11)) == .streaming)
    }

    @Test func `a position that stands still below the bound is stalled, never streaming`() {
        #expect(StreamState(connected(progress: 10, answer: 15.9), now: at(16)) == .stalled)
    }

    @Test func `a source that stops answering is stalled although nothing is missing`() {
        #expect(StreamState(connected(progress: 15.9, answer: 10), now: at(16)) == .stalled)
    }

    @Test func `far behind and moving is catching up`() {
        var seen = connected(progress: 10, answer: 10)
        seen.bound = seen.archived + StreamState.catchingUpBytes + 1
        #expect(StreamState(seen, now: at(11)) == .catchingUp)
    }

    @Test func `without a connection it is connecting, after the end stopped`() {
        var seen = StreamObservation(lastProgress: at(1))
        #expect(StreamState(seen, now: at(2)) == .connecting)
        seen.isStopped = true
        #expect(StreamState(seen, now: at(2)) == .stopped)
    }

    @Test func `after a gap the state is gap until a base backup mends it`() {
        var seen = connected(progress: 10, answer: 10)
        seen.awaitsBackupAfterGap = true
        #expect(StreamState(seen, now: at(11)) == .gap)
    }

    @Test(arguments: [
        (nil, ObjectiveState.breached), (0.0, .met), (450.0, .met), (450.1, .atRisk),
        (900.0, .atRisk), (900.1, .breached),
    ])
    func `the objective is judged by halves`(exposure: Double?, expected: ObjectiveState) {
        #expect(ObjectiveState(exposure: exposure, rpo: 900) == expected)
    }
}
