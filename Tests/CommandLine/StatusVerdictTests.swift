import Model
import Monitoring
import Platform
import TestKit
import Testing

@testable import tidemark

/// `status --check`: 6 is a breached objective and nothing else.
struct StatusVerdictTests {
    private static let now = CommitTime("2026-11-22T12:00:00Z")!

    private static func source(
        _ name: String, _ state: StreamState = .streaming, exposure: Double?, reason: String = ""
    ) -> SourceStatus {
        SourceStatus(
            name: SourceID(name)!, kind: .postgres, state: state, timeline: nil,
            receivedPosition: nil, archivedPosition: nil, restorableTo: nil,
            exposureSeconds: exposure, rpoSeconds: 900, recoveryWindows: [], gaps: [],
            lastBackup: nil, sourceWindow: nil, reason: reason)
    }

    private static func verdict(_ sources: SourceStatus...) -> StatusVerdict {
        StatusVerdict(
            StatusDocument(time: now, repository: "file:///a", state: "ok", sources: sources))
    }

    @Test func `objectives that hold are no failure, at risk neither`() {
        let verdict = Self.verdict(
            Self.source("a", exposure: 0.4), Self.source("b", .catchingUp, exposure: 900))
        #expect(verdict.failure == nil)
        #expect(verdict.notes.isEmpty)
    }

    @Test func `a breach is status 6, with how many and the first one's numbers`() {
        let failure = Self.verdict(
            Self.source("a", exposure: 0.4), Self.source("b", exposure: 900.1),
            Self.source("c", .stalled, exposure: 5000, reason: "no route to host")
        ).failure
        #expect(failure?.code == .objectiveBreached)
        #expect(failure?.code.exitStatus == 6)
        #expect(failure?.message == "2 of 3 objectives breached; b: 15 min 1 s could be lost")
    }

    @Test func `what is not proved is a breach, with its reason for what to do`() {
        let failure = Self.verdict(
            Self.source("a", .gap, exposure: nil, reason: "history was lost")
        ).failure
        #expect(
            failure?.message
                == "1 of 1 objectives breached; a: nothing is proved to be restorable")
        #expect(failure?.remedy == "history was lost")
    }

    @Test(arguments: [StreamState.stalled, .connecting, .stopped])
    func `a frozen source whose objective holds is named, and is no breach`(state: StreamState) {
        let verdict = Self.verdict(
            Self.source("a", state, exposure: 40, reason: "the database does not answer"),
            Self.source("b", state, exposure: 600))
        #expect(verdict.failure == nil)
        #expect(
            verdict.notes.first
                == "a is \(state.rawValue), its objective is still met: the database does not "
                + "answer")
        #expect(
            verdict.notes.last?.hasPrefix("b is \(state.rawValue), its objective is at risk: ")
                == true)
    }

    @Test func `the program exits so, and still prints the table`() async throws {
        try await offPool {
            let archive = try StatusArchive()
            let breached = try archive.run(["--check"])
            #expect(breached.status == .exited(6), "\(breached.errors)")
            #expect(breached.output.hasPrefix("SOURCE"))
            #expect(breached.errors.hasPrefix("tidemark: 1 of 1 objectives breached; ledger: "))
            let json = try archive.run(["--check", "--json"])
            #expect(json.status == .exited(6) && json.output.hasPrefix("{"))
            #expect(try archive.run([]).status == .exited(0))
            let away = try TidemarkProcess.run(
                ["status", "--check", "--repository", "file://\(archive.path)/nothing"],
                seconds: 30)
            #expect(away.status == .exited(5), "\(away.errors)")
        }
    }

    @Test func `a stopped sidecar whose objective holds is status 0, and named`() async throws {
        try await offPool {
            let archive = try StatusArchive(isProved: true)
            let done = try archive.run(["--check"])
            #expect(done.status == .exited(0), "\(done.errors)")
            #expect(
                done.errors.hasPrefix("tidemark: ledger is stopped, its objective is still met: "),
                "\(done.errors)")
        }
    }
}
