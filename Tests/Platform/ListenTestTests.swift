import TestKit
import Testing

@testable import Platform

@Suite struct ListenTestTests {
    @Test func `a port that somebody listens on is taken, and free again behind him`() throws {
        let port = try freePort()
        let taken = try LoopbackListener(port)
        for host in ["127.0.0.1", ""] {
            let failure = try #require(ListenTest.failure(host: host, port: UInt16(port)))
            #expect(failure.isTaken && failure.words == "another program listens there")
        }
        taken.close()
        #expect(ListenTest.failure(host: "127.0.0.1", port: UInt16(port)) == nil)
    }

    @Test func `an address of another machine is told as such`() throws {
        // 192.0.2.0/24 is for documentation.
        let failure = try #require(ListenTest.failure(host: "192.0.2.1", port: 9187))
        #expect(!failure.isTaken && failure.words == "this machine has no such address")
    }
}
