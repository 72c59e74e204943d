import Model
import Platform
import TestKit
import Testing

@testable import Daemon

struct WaitArchivedTests {
    private let range = PositionRange(timeline: TimelineID("2"), first: 100, last: 200)

    private func board() throws -> SourceBoard {
        SourceBoard(try #require(SourceID("ledger")), time: SystemTimeSource())
    }

    private func archive(_ board: SourceBoard, _ timeline: String, _ ordinal: UInt64) {
        board.progressed(
            received: ordinal, archived: Position(timeline: TimelineID(timeline), ordinal: ordinal),
            now: SystemTimeSource().monotonic())
    }

    private func outcome(
        _ board: SourceBoard, stallSeconds: Double = 600, stops: Bool = false
    ) async throws -> TidemarkError.Code? {
        let range = range
        return try await offPool {
            do throws(TidemarkError) {
                try board.waitArchived(
                    range, stallSeconds: stallSeconds, clock: SystemTimeSource(),
                    shouldStop: { stops })
                return nil
            } catch {
                return error.code
            }
        }
    }

    @Test func `returns once the end is archived, on this timeline only`() async throws {
        let board = try board()
        archive(board, "1", 900)
        let wait = DedicatedThread("wait") { () throws(TidemarkError) in
            try board.waitArchived(
                range, stallSeconds: 600, clock: SystemTimeSource(), shouldStop: { false })
        }
        archive(board, "2", 199)
        #expect(try await offPool { try wait.join(seconds: 0.05) == nil })
        archive(board, "2", 200)
        try await wait.value()
    }

    @Test func `a newer timeline ends the wait at once`() async throws {
        let board = try board()
        archive(board, "3", 150)
        #expect(try await outcome(board) == .archiveIncomplete)
    }

    @Test func `a refusal ends the wait with its own error`() async throws {
        let board = try board()
        board.disconnected("refused", TidemarkError(.sourceRefused, "no"))
        #expect(try await outcome(board) == .sourceRefused)
    }

    @Test func `a stream that does not move, and a stop, end the wait`() async throws {
        let board = try board()
        archive(board, "2", 150)
        #expect(try await outcome(board, stallSeconds: 0.5) == .archiveIncomplete)
        #expect(try await outcome(board, stops: true) == .cancelled)
    }
}
