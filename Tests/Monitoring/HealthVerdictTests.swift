import Model
import Repository
import Testing

@testable import Monitoring

struct HealthVerdictTests {
    private func problem(_ source: SourceStatus) -> String? { HealthVerdict.problem(of: source) }

    @Test func `followed within its objective is well, catching up too`() {
        #expect(problem(SampleStatus.source()) == nil)
        #expect(problem(SampleStatus.source(state: .catchingUp, exposure: 400)) == nil)
        #expect(HealthVerdict(SampleStatus.document()).isHealthy)
    }

    @Test func `what is not followed is never well, however small the exposure`() {
        for state in [StreamState.connecting, .stalled, .gap, .stopped] {
            let text = problem(SampleStatus.source(state: state, exposure: 0.1))
            #expect((text ?? "").count > 20, "\(state): \(text ?? "nothing")")
        }
    }

    @Test func `the reason is told in the database's own words where it gave any`() {
        let gone = SampleStatus.source(
            state: .connecting, exposure: 4, reason: "cannot connect: connection refused")
        #expect(problem(gone) == "cannot connect: connection refused")
        let breached = SampleStatus.source(
            state: .connecting, exposure: 1000, reason: "cannot connect: connection refused")
        #expect(
            problem(breached)
                == "16 min 40 s could be lost, the objective is 15 min: "
                + "cannot connect: connection refused")
    }

    @Test func `a breach is told with its numbers, an unknown exposure as such`() {
        #expect(
            problem(SampleStatus.source(exposure: 901))
                == "15 min 1 s could be lost, the objective is 15 min")
        #expect(
            problem(SampleStatus.source(exposure: nil, reason: "there is no base backup"))
                == "nothing is proved to be restorable: there is no base backup")
    }

    @Test func `the repository comes first, and no source at all is not well`() {
        let verdict = HealthVerdict(
            SampleStatus.document(
                [SampleStatus.source(state: .stalled)], repository: "it is read-only"))
        #expect(verdict.problems.first == "repository: it is read-only")
        #expect(verdict.problems.last?.hasPrefix("ledger: ") == true)
        #expect(!HealthVerdict(SampleStatus.document([])).isHealthy)
    }

    @Test func `times are rounded up to what a person reads`() {
        let texts = [0, 0.31, 9.99, 10.1, 119.2, 120, 200.5, 7200, 7261].map(HealthVerdict.seconds)
        #expect(
            texts == [
                "0.0 s", "0.4 s", "10 s", "11 s", "2 min", "2 min", "3 min 21 s", "2 h",
                "2 h 2 min",
            ])
    }

    @Test func `the document begins with the verdict and holds the status`() throws {
        let sick = HealthDocument(
            SampleStatus.document([SampleStatus.source(state: .stalled, reason: "it hangs")]))
        let text = String(decoding: try JSONDocument.encode(sick), as: UTF8.self)
        #expect(text.contains("\"status\" : \"failing\""))
        #expect(text.contains("\"ledger: it hangs\""))
        #expect(text.contains("\"archived_position\" : \"0/10\""))
        #expect(text.contains("\"repository\""))
    }
}
