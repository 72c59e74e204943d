// Measures the stream splitter on one core. Prints GB/s and millions of commands a second, best
// of five runs, for values of several sizes and for pieces of the size the archiver receives.
import Model
import Platform
import Redis

func command(_ words: [String]) -> [UInt8] {
    var bytes = Array("*\(words.count)\r\n".utf8)
    for word in words { bytes += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8) }
    return bytes
}

func stream(bytes limit: Int, _ make: (Int) -> [String]) -> (bytes: [UInt8], commands: Int) {
    var all: [UInt8] = []
    var count = 0
    while all.count < limit {
        all += command(make(count))
        count += 1
    }
    return (all, count)
}

func measure(_ name: String, _ sample: (bytes: [UInt8], commands: Int), piece: Int) throws {
    let clock = SystemTimeSource()
    var best = Double.infinity
    for _ in 0..<5 {
        var splitter = CommandSplitter(at: StreamEdge(position: 0))
        var scan = StreamScan()
        let started = clock.monotonic()
        var first = 0
        while first < sample.bytes.count {
            let last = min(first + piece, sample.bytes.count)
            try splitter.scan(sample.bytes.span.extracting(first..<last), into: &scan)
            first = last
        }
        best = min(best, clock.monotonic().seconds(since: started))
        precondition(scan.commands == sample.commands, "the splitter lost commands")
    }
    let rate = (Double(sample.bytes.count) / best / 1e7).rounded() / 100
    let commands = (Double(sample.commands) / best / 1e5).rounded() / 10
    print("\(name), pieces of \(piece >> 10) KiB: \(rate) GB/s, \(commands) M commands/s")
}

let size = 64 << 20
let filler = String(repeating: "x", count: 1 << 20)
let samples: [(String, (bytes: [UInt8], commands: Int))] = [
    ("8 B values", stream(bytes: size) { ["SET", "k\($0 % 100)", "12345678"] }),
    (
        "mix of small commands",
        stream(bytes: size) {
            $0 % 3 == 0
                ? ["INCR", "c\($0 % 10)"] : $0 % 3 == 1 ? ["DEL", "k"] : ["SET", "a", "b"]
        }
    ),
    (
        "100 B values",
        stream(bytes: size) { ["SET", "key:\($0 % 1000)", String(filler.prefix(100))] }
    ),
    (
        "1 kB values",
        stream(bytes: size) { ["SET", "key:\($0 % 1000)", String(filler.prefix(1024))] }
    ),
    ("1 MB values", stream(bytes: size) { ["SET", "key:\($0 % 1000)", filler] }),
]
for (name, sample) in samples {
    try measure(name, sample, piece: 256 << 10)
    try measure(name, sample, piece: 16 << 10)
}
