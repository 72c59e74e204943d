import Model
import Testing

@testable import Repository

struct PipelineStateTests {
    private static let file = BackupFixture.base

    private func chunk(_ state: inout PipelineState) -> BackupChunk? {
        guard case .work(let chunk)? = state.takeChunk() else { return nil }
        return chunk
    }

    private func piece(_ state: inout PipelineState) -> PipelineState.Piece? {
        guard case .work(let piece)? = state.takePiece() else { return nil }
        return piece
    }

    private func encoded(_ state: inout PipelineState) -> [UInt8]? {
        guard case .work(let encoded)? = state.takeEncoded() else { return nil }
        return encoded.bytes
    }

    @Test func `pieces leave in the order they came, whoever is done first`() {
        var state = PipelineState(chunks: 3, inFlight: 3)
        for _ in 0..<3 { state.submit(chunk(&state)!, of: Self.file, endsFile: false) }
        let pieces = (0..<3).map { _ in piece(&state)! }
        #expect(pieces.map(\.number) == [0, 1, 2])
        state.deliver([2], of: pieces[2])
        #expect(encoded(&state) == nil)
        state.deliver([0], of: pieces[0])
        #expect(encoded(&state) == [0])
        #expect(encoded(&state) == nil)
        state.deliver([1], of: pieces[1])
        #expect(encoded(&state) == [1])
        #expect(encoded(&state) == [2])
    }

    @Test func `the reader waits for a chunk, and for the writer`() {
        var state = PipelineState(chunks: 2, inFlight: 3)
        let first = chunk(&state)!
        let second = chunk(&state)!
        #expect(chunk(&state) == nil)
        state.submit(first, of: Self.file, endsFile: false)
        state.submit(second, of: Self.file, endsFile: false)
        for number in 0..<2 { state.deliver([UInt8(number)], of: piece(&state)!) }
        // Chunks are free again, but only three pieces may be on their way.
        state.submit(chunk(&state)!, of: Self.file, endsFile: false)
        #expect(chunk(&state) == nil)
        #expect(encoded(&state) == [0])
        #expect(chunk(&state) != nil)
    }

    @Test func `everything ends after the last piece, and not before`() {
        var state = PipelineState(chunks: 2, inFlight: 2)
        state.submit(chunk(&state)!, of: Self.file, endsFile: true)
        state.close()
        let last = piece(&state)!
        guard case .ended? = state.takePiece() else {
            Issue.record("a worker has nothing left to do")
            return
        }
        #expect(encoded(&state) == nil)
        state.deliver([9], of: last)
        #expect(encoded(&state) == [9])
        guard case .ended? = state.takeEncoded() else {
            Issue.record("the writer is done")
            return
        }
    }

    @Test func `the first failure is the cause and ends every thread`() {
        var state = PipelineState(chunks: 2, inFlight: 2)
        let held = chunk(&state)!
        state.fail(TidemarkError(.repositoryFull, "first"))
        state.fail(TidemarkError(.failed, "second"))
        state.submit(held, of: Self.file, endsFile: false)
        #expect(state.failure?.message == "first")
        guard case .ended? = state.takeChunk(), case .ended? = state.takePiece(),
            case .ended? = state.takeEncoded()
        else {
            Issue.record("a failure ends them all")
            return
        }
    }
}
