import Logging
import Model
import Monitoring
import Testing

@testable import Daemon

struct StateChangesTests {
    private static func source(
        _ state: StreamState, _ exposure: Double?, _ name: String = "ledger", reason: String = ""
    ) -> SourceStatus {
        SourceStatus(
            name: SourceID(name)!, kind: .postgres, state: state, timeline: nil,
            receivedPosition: nil, archivedPosition: "0/10",
            restorableTo: CommitTime("2026-11-22T12:00:00Z")!, exposureSeconds: exposure,
            rpoSeconds: 60, recoveryWindows: [], gaps: [], lastBackup: nil, sourceWindow: nil,
            reason: reason)
    }

    @Test func `the first look tells how a source stands, and every change is one line`() {
        var changes = StateChanges()
        #expect(
            changes.observe(Self.source(.streaming, 0.5)).map(\.message) == [
                "state is streaming", "objective is met",
            ])
        let stalled = changes.observe(Self.source(.stalled, 5.1, reason: "no answer"))
        #expect(stalled.map(\.message) == ["state is stalled, was streaming"])
        #expect(
            stalled.first?.metadata == [
                "source": "ledger", "state": "stalled", "objective": "met",
                "exposure_seconds": "5.1", "restorable_to": "2026-11-22T12:00:00.000Z",
                "archived_position": "0/10", "reason": "no answer",
            ])
        let worse = changes.observe(Self.source(.stalled, 61))
        #expect(worse.map(\.message) == ["objective is breached, was met"])
        #expect(worse.first?.metadata["reason"] == nil)
        #expect(
            changes.observe(Self.source(.streaming, 0.4)).map(\.message) == [
                "state is streaming, was stalled", "objective is met, was breached",
            ])
    }

    @Test func `an exposure that grows is no line, and sources are kept apart`() {
        var changes = StateChanges()
        _ = changes.observe(Self.source(.streaming, 0.1))
        for tenth in 2...300 {
            #expect(changes.observe(Self.source(.streaming, Double(tenth) / 10)).isEmpty)
        }
        #expect(changes.observe(Self.source(.streaming, nil, "shop")).count == 2)
        #expect(changes.observe(Self.source(.streaming, 1)).isEmpty)
    }
}
