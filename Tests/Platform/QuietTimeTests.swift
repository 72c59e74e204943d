import Model
import Platform
import Testing

@Suite struct QuietTimeTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: 0).advanced(bySeconds: seconds + 1000)
    }

    @Test func `only time in which somebody listened counts`() {
        var quiet = QuietTime(now: at(0), longestPause: 15)
        quiet.looked(at(10))
        #expect(quiet.seconds == 10)
        quiet.looked(at(500))
        #expect(quiet.seconds == 25)
        quiet.looked(at(501))
        #expect(quiet.seconds == 26)
        quiet.heard(at(502))
        #expect(quiet.seconds == 0)
        quiet.looked(at(503))
        #expect(quiet.seconds == 1)
    }

    @Test func `a look older than the newest sign of life counts for nothing`() {
        var quiet = QuietTime(now: at(0), longestPause: 15)
        quiet.heard(at(100))
        quiet.looked(at(90))
        #expect(quiet.seconds == 0)
        quiet.looked(at(101))
        #expect(quiet.seconds == 1)
    }
}
