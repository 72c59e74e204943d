import Model
import Testing

@testable import Mongo

/// How long an archiver may be away.
@Suite struct OplogWindowTests {
    private func window(
        _ position: UInt32, size: UInt64? = nil, limit: UInt64? = nil, rate: Double? = nil
    ) -> OplogWindow {
        OplogWindow(
            oldest: OpTime(seconds: 1000, increment: 1),
            newest: OpTime(seconds: 2000, increment: 1),
            position: OpTime(seconds: position, increment: 1), size: size, limit: limit, rate: rate)
    }

    @Test func `the room that is left goes at the present rate`() {
        let full = window(2000, size: 1000, limit: 1000, rate: 10).window
        #expect(full.headroomSeconds == 100 && full.headroomBytes == 1000 && full.share == 1)
        let behind = window(1200, size: 1000, limit: 1000, rate: 10).window
        #expect(behind.headroomSeconds == 20 && behind.share == 0.2)
        let young = window(1200, size: 100, limit: 1000, rate: 10).window
        #expect(young.headroomBytes == 920 && young.headroomSeconds == 92)
        #expect(window(2000, size: 1000, limit: 1000).window.headroomSeconds == nil)
        #expect(window(900, size: 1000, limit: 1000, rate: 10).window.headroomBytes == 0)
    }

    @Test func `without its size the oplog's reach counts`() {
        let window = window(1250).window
        #expect(window.headroomSeconds == 250 && window.headroomBytes == nil)
        #expect(window.share == 0.25)
    }
}
