/// Writes metrics as text: OpenMetrics 1.0.0 for those who ask for it, else Prometheus's older text
/// format 0.0.4, which `promtool check metrics` and people's scripts read.
///
/// Both have families with TYPE and HELP before their samples. They differ in what a family of
/// counters is called (without `_total` in OpenMetrics), in `UNIT` and in the type `info`. `# EOF`,
/// which OpenMetrics demands, is a comment in the other.
struct OpenMetricsText {
    enum Dialect {
        case openMetrics, prometheus

        /// The one that an Accept header asks for.
        init(accept: String?) {
            let wants = accept?.contains("application/openmetrics-text") ?? false
            self = wants ? .openMetrics : .prometheus
        }

        var contentType: String {
            switch self {
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            }
        }
    }

    enum Kind: String { case gauge, counter, histogram, info }

    /// The labels of a sample, put together once for all samples that carry them: thirty sources
    /// have two thousand samples, and each is a few copies of bytes that way.
    struct Labels: Sendable {
        /// `{a="x",b="y"`; empty without labels.
        fileprivate private(set) var bytes: [UInt8] = []

        static let none = Labels([:])

        init(_ pairs: KeyValuePairs<String, String>) {
            for (name, value) in pairs { add(name, OpenMetricsText.escaped(value)) }
        }

        /// With one more; `value` has no sign that has to be escaped.
        func adding(_ name: String, _ value: String) -> Labels {
            var labels = self
            labels.add(name, value)
            return labels
        }

        private mutating func add(_ name: String, _ value: String) {
            bytes.append(UInt8(ascii: bytes.isEmpty ? "{" : ","))
            bytes.append(contentsOf: name.utf8)
            bytes.append(contentsOf: "=\"".utf8)
            bytes.append(contentsOf: value.utf8)
            bytes.append(UInt8(ascii: "\""))
        }
    }

    private var bytes: [UInt8] = []
    private let dialect: Dialect

    /// - Parameter samples: about how many there will be.
    init(_ dialect: Dialect, samples: Int = 0) {
        self.dialect = dialect
        bytes.reserveCapacity(samples * 100)
    }

    private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Begins a family. `unit` has to be the name's last word; nil where there is none.
    ///
    /// Of a counter or an info this is the name without its samples' suffixes.
    mutating func family(_ name: String, _ kind: Kind, unit: String? = nil, _ help: String) {
        precondition(
            unit.map { name.hasSuffix("_" + $0) } ?? true, "\(name) does not end in its unit")
        let title: (name: String, type: String)
        switch (dialect, kind) {
        case (.prometheus, .counter): title = (name + "_total", "counter")
        case (.prometheus, .info): title = (name + "_info", "gauge")
        default: title = (name, kind.rawValue)
        }
        put("# HELP \(title.name) \(Self.escaped(help))\n# TYPE \(title.name) \(title.type)\n")
        if let unit, dialect == .openMetrics { put("# UNIT \(title.name) \(unit)\n") }
    }

    /// - Parameter suffix: what a sample's name has more than its family's, such as `_total`.
    mutating func sample(
        _ name: String, suffix: String = "", _ labels: Labels, _ value: Double
    ) {
        begin(name, suffix, labels)
        put(value)
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func sample(
        _ name: String, suffix: String = "", _ labels: Labels, _ value: UInt64
    ) {
        begin(name, suffix, labels)
        put(String(value))
        bytes.append(UInt8(ascii: "\n"))
    }

    /// One sample for each name of a set, such as the states: 1 for the one that holds, else 0.
    mutating func choice(
        _ name: String, _ labels: Labels, _ label: String, of all: [String], is chosen: String
    ) {
        for one in all {
            sample(name, labels.adding(label, one), one == chosen ? 1.0 : 0.0)
        }
    }

    /// Everything before the value.
    private mutating func begin(_ name: String, _ suffix: String, _ labels: Labels) {
        put(name)
        put(suffix)
        bytes.append(contentsOf: labels.bytes)
        put(labels.bytes.isEmpty ? " " : "} ")
    }

    /// One histogram's samples; `counts` has one place more than `bounds`, not cumulated.
    mutating func histogram(
        _ name: String, _ labels: Labels, bounds: [Double], counts: [UInt64], sum: Double
    ) {
        var total: UInt64 = 0
        for (place, count) in counts.enumerated() {
            total += count
            put(name)
            put("_bucket")
            bytes.append(contentsOf: labels.bytes)
            put(labels.bytes.isEmpty ? "{le=\"" : ",le=\"")
            if place < bounds.count { put(bounds[place]) } else { put("+Inf") }
            put("\"} ")
            put(String(total))
            bytes.append(UInt8(ascii: "\n"))
        }
        sample(name, suffix: "_sum", labels, sum)
        sample(name, suffix: "_count", labels, total)
    }

    /// The whole document.
    var document: [UInt8] { bytes + Array("# EOF\n".utf8) }

    private mutating func put(_ value: Double) {
        if value.isNaN {
            put("NaN")
        } else if value.isInfinite {
            put(value < 0 ? "-Inf" : "+Inf")
        } else if value == value.rounded(), abs(value) < 1e15 {
            put(String(Int64(value)))
            put(".0")
        } else {
            put(value.description)
        }
    }

    fileprivate static func escaped(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy {
            $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\n")
        }
        if isPlain { return text }
        var result = ""
        for sign in text {
            switch sign {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.append(sign)
            }
        }
        return result
    }
}
