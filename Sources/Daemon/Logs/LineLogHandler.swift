import Glibc
package import Logging
import Model
package import Platform

/// Writes one line per event to standard error: text for people, JSON for collectors.
package struct LineLogHandler: LogHandler {
    package enum Format: String, Sendable, CaseIterable { case text, json }

    package var logLevel: Logger.Level = .info
    package var metadata: Logger.Metadata = [:]
    private let format: Format
    private let time: any TimeSource

    package init(_ format: Format, level: Logger.Level, time: any TimeSource) {
        self.format = format
        self.logLevel = level
        self.time = time
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }
        var line =
            switch format {
            case .text: text(event.level, "\(event.message)", fields)
            case .json: json(event.level, "\(event.message)", fields)
            }
        line += "\n"
        // One write per line, so that lines of several threads do not mix. A closed standard error
        // must not stop the archiver.
        _ = line.withUTF8 { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
    }

    private func text(
        _ level: Logger.Level, _ message: String, _ fields: Logger.Metadata
    ) -> String {
        let tail = fields.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.quoted($0.value))" }
        return "\(time.wall()) \(level) \(Self.oneLine(message))\(tail.joined())"
    }

    /// One event is one line, whatever a server has said: a remedy follows behind a semicolon, and
    /// nothing steers the terminal.
    private static func oneLine(_ message: String) -> String {
        var out = ""
        for scalar in message.unicodeScalars {
            switch scalar {
            case "\n": out += "; "
            case _ where scalar.value < 32 || scalar.value == 127: out += "?"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private func json(
        _ level: Logger.Level, _ message: String, _ fields: Logger.Metadata
    ) -> String {
        var line = "{\"time\":\"\(time.wall())\",\"level\":\"\(level)\",\"message\":"
        line += Self.jsonString(message)
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            line += ",\(Self.jsonString(key)):\(Self.jsonString("\(value)"))"
        }
        return line + "}"
    }

    private static func quoted(_ value: Logger.Metadata.Value) -> String {
        let text = "\(value)"
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 32 && $0 != UInt8(ascii: "\"") }
        return isPlain ? text : jsonString(text)
    }

    private static func jsonString(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
