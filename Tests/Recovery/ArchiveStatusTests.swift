import Glibc
@testable import Recovery
import TestKit
import Testing

@Suite struct `What the server's archiver has stored` {
    @Test func `is the newest segment among its notes`() {
        #expect(
            ArchiveStatus.newest(of: [
                "000000010000000000000009.done", "00000001000000000000000A.done",
                "00000001000000000000000B.ready", "00000002.history.done",
            ]) == "00000001000000000000000A")
        #expect(ArchiveStatus.newest(of: ["00000001000000000000000B.ready"]) == nil)
    }

    @Test func `is nothing without a folder of notes, and unknown when it is none`() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path + "/000000010000000000000009"
        #expect(try ArchiveStatus.stored(beside: path) == nil)
        let file = open(scratch.path + "/archive_status", O_CREAT | O_WRONLY, 0o600)
        try #require(file >= 0)
        close(file)
        let error = #expect(throws: (any Error).self) { try ArchiveStatus.stored(beside: path) }
        #expect("\(String(describing: error))".contains("archive_status"))
    }
}
