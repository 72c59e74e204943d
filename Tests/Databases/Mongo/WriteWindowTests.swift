import Model
import Testing

@testable import Mongo

struct WriteWindowTests {
    @Test func `what it holds is counted with the values of its updates`() throws {
        let long = String(repeating: "x", count: 1000)
        let update = BSONDocument([
            ("$v", .int32(1)),
            ("$set", .document(BSONDocument([("a", .string(long))]))),
        ])
        let form = try UpdateForm(update)
        for takesDirect in [false, true] {
            var window = WriteWindow(takesDirect: takesDirect)
            for count in 1...5 {
                window.update(.int32(1), form, size: update.bytes.count)
                #expect(window.bytes >= count * 1000)
            }
        }
    }

    @Test func `what is inserted once more lies last`() {
        var window = WriteWindow()
        for id in [1, 2, 3, 1] as [Int32] {
            window.insert(.int32(id), BSONDocument([("_id", .int32(id))]))
        }
        #expect(window.batch([]).batch.puts.map(\.id) == [.int32(2), .int32(3), .int32(1)])
    }

    @Test func `the marks of another restore are nobody's data`() {
        #expect(NamespacePolicy.verdict(Namespace("tidemark_restore", "x")) == .skip)
        #expect(!NamespacePolicy.isDumped(RestoreProgress.place))
        #expect(NamespacePolicy.verdict(Namespace("tidemark_restored", "x")) == .replay)
    }
}
