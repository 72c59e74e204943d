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

    /// Name and value of a label, in the order they are written.
    typealias Labels = [(name: String, value: String)]

    private(set) var text = ""
    private let dialect: Dialect

    init(_ dialect: Dialect) { self.dialect = dialect }

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
        text += "# HELP \(title.name) \(Self.escaped(help))\n# TYPE \(title.name) \(title.type)\n"
        if let unit, dialect == .openMetrics { text += "# UNIT \(title.name) \(unit)\n" }
    }

    mutating func sample(_ name: String, _ labels: Labels, _ value: Double) {
        begin(name, labels)
        text += Self.text(value)
        text += "\n"
    }

    mutating func sample(_ name: String, _ labels: Labels, _ value: UInt64) {
        begin(name, labels)
        text += String(value)
        text += "\n"
    }

    /// Everything before the value; thirty sources have two thousand of these.
    private mutating func begin(_ name: String, _ labels: Labels) {
        text += name
        for (place, label) in labels.enumerated() {
            text += place == 0 ? "{" : ","
            text += label.name
            text += "=\""
            text += Self.escaped(label.value)
            text += "\""
        }
        text += labels.isEmpty ? " " : "} "
    }

    /// One histogram's samples; `counts` has one place more than `bounds`, not cumulated.
    mutating func histogram(
        _ name: String, _ labels: Labels, bounds: [Double], counts: [UInt64], sum: Double
    ) {
        var total: UInt64 = 0
        for (place, count) in counts.enumerated() {
            total += count
            let bound = place < bounds.count ? Self.text(bounds[place]) : "+Inf"
            sample(name + "_bucket", labels + [("le", bound)], total)
        }
        sample(name + "_sum", labels, sum)
        sample(name + "_count", labels, total)
    }

    /// The whole document.
    var document: String { text + "# EOF\n" }

    private static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value)).0" }
        return "\(value)"
    }

    private static func escaped(_ text: String) -> String {
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
