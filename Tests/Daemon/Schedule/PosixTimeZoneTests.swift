import Model
import Testing

@testable import Daemon

@Suite struct PosixTimeZoneTests {
    private func offset(_ rule: String, _ time: String) throws -> Int {
        let rule = try #require(PosixTimeZone(rule))
        return rule.offset(at: try #require(CommitTime(time)).microseconds / 1_000_000)
    }

    @Test func `a zone that never changes has one offset`() throws {
        #expect(try offset("JST-9", "2050-07-01T00:00:00Z") == 32_400)
        #expect(try offset("<-03>3", "2050-07-01T00:00:00Z") == -10_800)
        #expect(try offset("<+0545>-5:45", "2050-07-01T00:00:00Z") == 20_700)
    }

    @Test func `northern summer time begins and ends on the second`() throws {
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3"
        #expect(try offset(berlin, "2050-03-27T00:59:59Z") == 3600)
        #expect(try offset(berlin, "2050-03-27T01:00:00Z") == 7200)
        #expect(try offset(berlin, "2050-10-30T00:59:59Z") == 7200)
        #expect(try offset(berlin, "2050-10-30T01:00:00Z") == 3600)
    }

    @Test func `southern summer time spans the new year`() throws {
        let sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3"
        #expect(try offset(sydney, "2049-12-31T23:00:00Z") == 39_600)
        #expect(try offset(sydney, "2050-01-15T00:00:00Z") == 39_600)
        #expect(try offset(sydney, "2050-07-01T00:00:00Z") == 36_000)
    }

    @Test func `winter time may be the exception, as in Ireland`() throws {
        let dublin = "IST-1GMT0,M10.5.0,M3.5.0/1"
        #expect(try offset(dublin, "2050-01-15T00:00:00Z") == 0)
        #expect(try offset(dublin, "2050-07-15T00:00:00Z") == 3600)
    }

    @Test func `a change may lie before midnight of its day`() throws {
        let nuuk = "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"
        #expect(try offset(nuuk, "2050-03-27T00:59:59Z") == -7200)
        #expect(try offset(nuuk, "2050-03-27T01:00:00Z") == -3600)
    }

    @Test func `days are counted with and without 29 February`() throws {
        // J60 is 1 March in every year; 59 is 29 February in a leap year.
        #expect(try offset("AAA0BBB-1,J60/0,J300", "2048-02-29T23:59:59Z") == 0)
        #expect(try offset("AAA0BBB-1,J60/0,J300", "2048-03-01T00:00:00Z") == 3600)
        #expect(try offset("AAA0BBB-1,59/0,J300", "2048-02-29T00:00:00Z") == 3600)
        #expect(try offset("AAA0BBB-1,59/0,J300", "2047-02-28T23:59:59Z") == 0)
    }

    @Test func `everlasting summer time is just that`() throws {
        for day in ["01-01", "01-31", "04-30", "07-31", "12-31"] {
            let noon = "2050-\(day)T12:00:00Z"
            #expect(try offset("XXX3EDT4,0/0,J365/23", noon) == -14_400)
        }
        // Both of the year's changes fall on this moment.
        #expect(try offset("XXX3EDT4,0/0,J365/23", "2050-01-01T03:00:00Z") == -14_400)
    }

    @Test(arguments: [
        "", "CET", "C-1", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0", "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1:60", "CET-168", "<CET-1", "CET-1CEST,J0,J10", "CET-1CEST,366,10", "CET-1234",
    ])
    func `what is not a rule is none`(text: String) {
        #expect(PosixTimeZone(text) == nil)
    }
}
