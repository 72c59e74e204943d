// Measures on one core what tailing an oplog costs beside the network: answers of 16 MB with the
// entries that a server writes are split, checked, copied out once and noted. Prints thousands of
// entries and MB a second, best of five runs, and the most memory that was resident.
import Glibc
import Model
import Mongo
import Platform

/// An insert as 4.4 writes it for a session, with a document of about `size` bytes.
func entry(_ number: UInt32, _ size: Int) -> BSONDocument {
    let document = BSONDocument([
        ("_id", .objectID([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 12))),
        ("n", .int32(Int32(number))),
        ("text", .string(String(repeating: "x", count: size))),
    ])
    let session = BSONDocument([("id", .binary([UInt8](repeating: 3, count: 16), subtype: 4))])
    return BSONDocument([
        ("lsid", .document(session)), ("txnNumber", .int64(Int64(number))), ("op", .string("i")),
        ("ns", .string("shop.orders")),
        ("ui", .binary([UInt8](repeating: 5, count: 16), subtype: 4)),
        ("o", .document(document)),
        ("ts", .timestamp(OpTime(seconds: 1_795_000_000 + number / 20_000, increment: number + 1))),
        ("t", .int64(7)), ("wall", .date(milliseconds: 1_795_000_000_000 + Int64(number / 20))),
        ("v", .int64(2)), ("stmtId", .int32(0)),
    ])
}

/// A server's answer of about 16 MB.
func answer(_ size: Int) -> (bytes: [UInt8], entries: Int) {
    var entries: [BSONValue] = []
    var bytes = 0
    while bytes < 16_000_000 {
        let next = entry(UInt32(entries.count), size)
        bytes += next.bytes.count
        entries.append(.document(next))
    }
    let cursor = BSONDocument([
        ("nextBatch", .array(entries)), ("id", .int64(1)), ("ns", .string("local.oplog.rs")),
    ])
    return (BSONDocument([("cursor", .document(cursor)), ("ok", .double(1))]).bytes, entries.count)
}

func peakMB() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss / 1024
}

for size in [10, 100, 1000, 100_000] {
    let sample = answer(size)
    let before = peakMB()
    let clock = SystemTimeSource()
    var best = Double.infinity
    for _ in 0..<5 {
        var pieces = 0
        let started = clock.monotonic()
        for _ in 0..<4 {
            let split = try OplogBatch.split(
                sample.bytes.span, "nextBatch", skippingFirst: false
            ) { batch in pieces += batch.bytes.isEmpty ? 0 : 1 }
            precondition(split > 15_000_000 && pieces > 0, "the splitter lost entries")
        }
        best = min(best, clock.monotonic().seconds(since: started) / 4)
    }
    let thousands = Int(Double(sample.entries) / best / 1000)
    let rate = Int(Double(sample.bytes.count) / best / 1e6)
    print(
        "documents of \(size) B: \(thousands) thousand entries/s, \(rate) MB/s, "
            + "\(peakMB() - before) MB more resident")
}
