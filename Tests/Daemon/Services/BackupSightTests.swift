import Model
import Platform
import Testing

@testable import Daemon

@Suite struct BackupSightTests {
    private func second(_ count: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: count * 1_000_000_000)
    }

    private let noon = CommitTime("2026-11-22T12:00:00Z")!

    @Test func `one that moves is in no trouble, and one that rests is stalled where it rests`() {
        var sight = BackupSight()
        #expect(sight.trouble(second(900)).isEmpty)
        sight.began(second(1000))
        #expect(sight.trouble(second(1030)).isEmpty)
        #expect(sight.trouble(second(1031)).contains("has sent nothing for 31 s"))
        sight.copied(5 << 20, second(1040))
        #expect(sight.trouble(second(1060)).isEmpty)
        #expect(
            sight.trouble(second(1100))
                == "the base backup is stalled: nothing has been copied for 60 s, after 5.0 MiB")
        sight.waits(second(1110))
        #expect(sight.trouble(second(1120)).isEmpty)
        #expect(sight.trouble(second(1200)).contains("has waited 90 s for the stream"))
        sight.finished()
        #expect(sight.trouble(second(9000)).isEmpty)
    }

    @Test func `a failure stays until one succeeds, here or elsewhere`() {
        let error = TidemarkError(.repositoryFull, "no space", remedy: "make room")
        var sight = BackupSight()
        sight.failed(error, at: noon, retry: noon.advanced(bySeconds: 60))
        let words =
            "the base backup failed at 2026-11-22T12:00:00Z: no space (make room); "
            + "it is tried again at 2026-11-22T12:01:00Z"
        #expect(sight.trouble(second(1)) == words)
        sight.found(noon.advanced(bySeconds: -3600))
        sight.began(second(60))
        #expect(sight.trouble(second(61)) == words)
        var other = sight
        sight.finished()
        #expect(sight.trouble(second(61)).isEmpty)
        other.found(noon.advanced(bySeconds: 1))
        #expect(other.trouble(second(61)).isEmpty)
    }
}
