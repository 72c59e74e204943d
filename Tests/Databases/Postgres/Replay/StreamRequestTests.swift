import Model
import Postgres
import Testing

@Suite struct `What recovery asks for by name` {
    private func request(_ name: String, _ bytes: UInt64 = 16 << 20) -> StreamRequest? {
        PostgresReplayer().request(name, segmentBytes: bytes)
    }

    @Test func `is a segment with its place`() throws {
        guard case .segment(let range) = request("00000002000000030000000A") else {
            Issue.record("no segment")
            return
        }
        #expect(range.timeline == TimelineID("2"))
        #expect(range.first == 0x3_0A00_0000 && range.length == 16 << 20)
        guard case .unfinished = request("00000002000000030000000A.partial") else {
            Issue.record("not an unfinished one")
            return
        }
    }

    @Test func `is nothing when no position can lie behind it`() {
        for name in ["00000002FFFFFFFF000000FF", "00000002FFFFFFFF000000FF.partial"] {
            #expect(request(name) == nil)
        }
        #expect(request("00000002FFFFFFFF000000FE") != nil)
        #expect(request("00000002FFFFFFFF00000FFF", 1 << 20) == nil)
    }
}
