import Testing

@testable import Daemon

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("500ms", 0.5), ("30s", 30), ("15m", 900), ("1h", 3600), ("30d", 2_592_000),
        ("2w", 1_209_600), ("0s", 0), ("090s", 90),
    ])
    func `a number and its unit`(text: String, seconds: Double) throws {
        #expect(try #require(DurationText.parse(text)).inSeconds == seconds)
    }

    @Test(arguments: [
        "", "15", "m", "15 m", "15M", "1.5h", "-1s", "+1s", "1h30m", "1y", "15min", "١s",
        "9999999999999s", "999999999999w",
    ])
    func `anything else is none`(text: String) { #expect(DurationText.parse(text) == nil) }

    @Test(arguments: ["500ms", "1s", "90s", "15m", "36h", "1d", "30d", "2w", "1500ms"])
    func `printing gives back what was read`(text: String) throws {
        #expect(DurationText.text(try #require(DurationText.parse(text))) == text)
    }
}
