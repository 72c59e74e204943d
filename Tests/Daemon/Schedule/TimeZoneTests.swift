import Model
import Platform
import TestKit
import Testing

@testable import Daemon

@Suite struct TimeZoneTests {
    /// Every hour around each change would be too much for a judge in another process; these zones
    /// have all kinds of rules: none, northern, southern, half an hour, negative, a dropped day.
    static let zones = [
        "UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns",
        "America/Nuuk", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Apia",
        "Africa/Casablanca", "Africa/Cairo", "America/Santiago", "Asia/Gaza", "Etc/GMT+12",
        "Antarctica/Troll", "Asia/Tehran", "America/Sao_Paulo", "Asia/Tokyo",
    ]

    @Test func `offsets are those of Python's reader of the same files`() async throws {
        let script = """
            import sys, zoneinfo, datetime
            epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
            for name in sys.argv[1:]:
                zone = zoneinfo.ZoneInfo(name)
                out = []
                for t in range(-2500000000, 4100000000, 3703701):
                    local = (epoch + datetime.timedelta(seconds=t)).astimezone(zone)
                    out.append(str(int(local.utcoffset().total_seconds())))
                print(name, *out)
            """
        try await offPool {
            let done = try Subprocess.run(
                "/usr/bin/python3", ["-c", script] + Self.zones,
                SubprocessOptions(keptOutput: 16 << 20), seconds: 120)
            try #require(done.status.isSuccess, "\(done.errors)")
            var compared = 0
            for line in done.output.split(separator: "\n") {
                let words = line.split(separator: " ")
                let rules = try #require(TimeZoneRules.named(String(words[0])))
                var instant: Int64 = -2_500_000_000
                for word in words.dropFirst() {
                    let offset = rules.offset(at: instant)
                    if String(offset) != word {
                        Issue.record("\(words[0]) at \(instant): \(offset), Python says \(word)")
                    }
                    instant += 3_703_701
                    compared += 1
                }
            }
            #expect(compared > 30_000)
        }
    }

    @Test func `a local reading is once, twice or never`() throws {
        let berlin = try #require(TimeZoneRules.named("Europe/Berlin"))
        func reading(_ text: String) throws -> Int64 {
            try #require(CommitTime(text)).microseconds / 1_000_000
        }
        let noon = try reading("2026-07-01T12:00:00Z")
        #expect(berlin.instants(ofLocal: noon) == .once(noon - 7200))
        let repeated = try reading("2026-10-25T02:30:00Z")
        #expect(
            berlin.instants(ofLocal: repeated)
                == .twice(first: repeated - 7200, second: repeated - 3600))
        let skipped = try reading("2026-03-29T02:30:00Z")
        #expect(
            berlin.instants(ofLocal: skipped)
                == .skipped(until: try reading("2026-03-29T01:00:00Z")))
        let start = try reading("2026-03-29T03:00:00Z")
        #expect(berlin.instants(ofLocal: start) == .once(start - 7200))
    }

    @Test func `UTC needs no file`() {
        #expect(TimeZoneRules.named("UTC", directory: "/nonexistent") == .utc)
        #expect(TimeZoneRules.utc.offset(at: 1_800_000_000) == 0)
    }

    @Test(arguments: [
        "", "/etc/passwd", "../../../etc/passwd", "Europe/../../../etc/passwd", "Europe",
        "Mars/Olympus", "Europe/Berlin\n", ".hidden", "zone.tab", "Europe//Berlin",
    ])
    func `what is not a zone of the machine is none`(name: String) {
        #expect(TimeZoneRules.named(name) == nil)
    }

    @Test func `a file cut anywhere is not a zone, and does no harm`() throws {
        let path = "/usr/share/zoneinfo/Europe/Berlin"
        let bytes = try #require(SmallFile.bytes(path, limit: 1 << 20))
        try #require(TimeZoneFile.parse(bytes, name: "whole") != nil)
        // The footer's own end is a newline; everything before the footer is needed.
        let footer = try #require(bytes.dropLast().lastIndex(of: UInt8(ascii: "\n")))
        for length in 0..<footer {
            #expect(TimeZoneFile.parse(Array(bytes[..<length]), name: "cut") == nil)
        }
    }

    @Test func `a file with any byte changed does no harm`() throws {
        let path = "/usr/share/zoneinfo/America/New_York"
        let bytes = try #require(SmallFile.bytes(path, limit: 1 << 20))
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0xFF
            let rules = TimeZoneFile.parse(damaged, name: "damaged")
            if let rules { _ = rules.instants(ofLocal: 1_800_000_000) }
        }
    }
}
