import Model
import Testing

/// The names that `find` gives and `--to before:` takes.
@Suite struct EventIDTests {
    private let set = ["0102030405060708090a0b0c", "0102030405060708090a0b0c.2"]
    private let changes = [
        "0102030405060708090a0b0c.changes", "0102030405060708090a0b0c.changes.2",
    ]

    @Test func `an event lies on its own timeline and on no other of the same replica set`() throws
    {
        let timelines = (set + changes + ["rs0", "rs0.changes", "1", "2"]).map { TimelineID($0) }
        for timeline in timelines {
            let id = EventID(Position(timeline: timeline, ordinal: 120_443))
            let read = try #require(EventID(id.description))
            #expect(read == id && read.ordinal == 120_443)
            #expect(timelines.filter { read.isOn($0) } == [timeline], "\(id)")
        }
    }

    @Test func `the name stays short`() {
        let timeline = TimelineID("8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb")
        #expect(EventID(Position(timeline: timeline, ordinal: 7)).description == "8371b4fb-7")
        let changed = TimelineID(changes[0])
        #expect(
            EventID(Position(timeline: changed, ordinal: 7)).description == "01020304.changes-7")
    }

    @Test(arguments: ["", "-7", "a1", "a1-", "a1-x", "a1--7x"])
    func `another text is no name`(text: String) {
        #expect(EventID(text) == nil)
    }
}
