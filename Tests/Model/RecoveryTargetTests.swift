import Model
import Testing

@Suite struct RecoveryTargetTests {
    @Test(arguments: [
        ("latest", RecoveryTarget.latest),
        ("2026-11-22T12:00:00.250Z", .time(CommitTime(microseconds: 1_795_348_800_250_000))),
        ("2026-11-22 13:00:00+01", .time(CommitTime(microseconds: 1_795_348_800_000_000))),
        ("point:before release 2:1", .point("before release 2:1")),
        ("before:ledger-17", .before("ledger-17")),
        ("lsn:0/3000060", .position(scheme: "lsn", text: "0/3000060")),
        ("optime:1703678400.1", .position(scheme: "optime", text: "1703678400.1")),
        ("offset:ab12:12345", .position(scheme: "offset", text: "ab12:12345")),
        ("xid:1234", .transaction(1234)), ("xid:18446744073709551615", .transaction(.max)),
    ])
    func `every form of the contract is understood and printed again`(
        _ text: String, _ target: RecoveryTarget
    ) {
        #expect(RecoveryTarget(text) == target)
        #expect(RecoveryTarget(target.description) == target)
    }

    @Test(arguments: [
        "", "Latest", "latest ", "yesterday", "2026-11-22", "2026-11-22T12:00:00", "point:",
        "before:", "lsn:", "xid:", "xid:x", "xid:-1", "xid:18446744073709551616", ":", ":x",
        "LSN:0/0", "name:x",
    ])
    func `anything else is none`(_ text: String) {
        #expect(RecoveryTarget(text) == nil)
    }
}
