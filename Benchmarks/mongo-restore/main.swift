// Fills a live server the way a restore does, from synthetic files and entries in memory, and
// prints the seconds of each part. Benchmarks/mongo-restore/run sets it beside the official driver.
//
//   mongo-restore URL base DOCUMENTS
//   mongo-restore URL insert|spread|hot DOCUMENTS ENTRIES
import Model
import Mongo
import Platform

let place = Namespace("bench", "orders")
let uuid = CollectionUUID([UInt8](repeating: 5, count: 16))!

func document(_ number: Int) -> BSONDocument {
    BSONDocument([
        ("_id", .int32(Int32(number))), ("name", .string("customer \(number)")),
        ("v", .int32(Int32(number % 1000))), ("pad", .string(String(repeating: "z", count: 150))),
    ])
}

/// An entry as 3.6 to 4.4 write it; a target may not be older than the source.
func entry(_ number: Int, _ op: String, _ content: BSONDocument, _ key: BSONDocument?) -> [UInt8] {
    var fields: [(String, BSONValue)] = [
        ("op", .string(op)), ("ns", .string(place.description)), ("ui", .uuid(uuid)),
        ("o", .document(content)),
    ]
    if let key { fields.append(("o2", .document(key))) }
    fields += [
        ("ts", .timestamp(OpTime(seconds: 2000, increment: UInt32(number + 1)))), ("t", .int64(1)),
        ("wall", .date(milliseconds: 2_000_000)), ("v", .int64(2)),
    ]
    return BSONDocument(fields).bytes
}

func update(_ number: Int, _ id: Int) -> [UInt8] {
    let set = BSONDocument([("v", .int32(Int32(number)))])
    return entry(
        number, "u", BSONDocument([("$v", .int32(1)), ("$set", .document(set))]),
        BSONDocument([("_id", .int32(Int32(id)))]))
}

let words = CommandLine.arguments
guard words.count >= 4, let documents = Int(words[3]) else {
    throw TidemarkError(.usage, "give URL, base|insert|spread|hot, DOCUMENTS and ENTRIES")
}
let kind = words[2]
let entries = kind == "base" ? 0 : Int(words[4])!
let source = SourceID("bench")!
let start = OpTime(seconds: 1000, increment: 1).ordinal
let end = OpTime(seconds: 2000, increment: UInt32(max(entries, 1))).ordinal
let stop = entries > 0 ? end : start
let timeline = TimelineID("bench")
let order = RestoreOrder(
    source: source,
    descriptor: SourceDescriptor(
        source: source, kind: .mongodb, identity: "bench", majorVersion: "3.6",
        segmentBytes: 16 << 20, created: CommitTime(microseconds: 0)),
    backup: BaseBackupDescriptor(
        id: "bench", source: source, kind: .mongodb, timeline: timeline, start: start, end: start,
        started: CommitTime(microseconds: 0), finished: CommitTime(microseconds: 0), bytes: 0,
        storedBytes: 0, files: [], server: ServerFacts(identity: "bench", version: "3.6.8"),
        warnings: []),
    destination: "", relocations: [:], timeline: timeline,
    stop: RecoveryStop(last: stop, end: stop, time: nil), fetchCommand: "", programs: [],
    force: false, starts: false, server: words[1])

var base: [UInt8] = []
for number in 0..<documents { base += document(number).bytes }
var oplog: [UInt8] = []
for number in 0..<entries {
    switch kind {
    case "insert": oplog += entry(number, "i", document(documents + number), nil)
    // Every document in turn, in an order that is not theirs.
    case "spread": oplog += update(number, number * 7919 % documents)
    // As counters and sessions are: a hundred documents take all.
    default: oplog += update(number, number * 7919 % min(100, documents))
    }
}

func file(_ name: String, _ role: StoredFile.Role) -> StoredFile {
    StoredFile(
        name: name, role: role, origin: place.description, location: nil, bytes: 0, storedBytes: 0,
        storedSHA256: "")
}

let clock = SystemTimeSource()
let copy = try MongoReplayer().restoration(order)
let begun = clock.monotonic()
try copy.begin()
try copy.open(file("bench/orders.metadata.json", .configuration))
let hex = String(repeating: "05", count: 16)
let metadata =
    #"{"options":{},"indexes":[],"uuid":"\#(hex)","collectionName":"orders","#
    + #""type":"collection"}"#
try copy.write(Array(metadata.utf8).span.bytes)
try copy.close()
try copy.open(file("bench/orders.bson", .data))
var offset = 0
while offset < base.count {
    let next = min(offset + 1 << 20, base.count)
    try copy.write(base.span.extracting(offset..<next).bytes)
    offset = next
}
try copy.close()
// The end of the base is waited for when the stream begins.
try copy.stream([UInt8]().span.bytes, at: start)
let loaded = clock.monotonic()
offset = 0
while offset < oplog.count {
    let next = min(offset + 1 << 20, oplog.count)
    try copy.stream(oplog.span.extracting(offset..<next).bytes, at: start)
    offset = next
}
try copy.complete()
try copy.conclude()
let done = clock.monotonic()
print(loaded.seconds(since: begun), done.seconds(since: loaded))
