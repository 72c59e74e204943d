package import Model

/// HTTP/1.1 as a test needs it: one request, one connection.
package enum LoopbackHTTP {
    /// An answer, its header names in small letters.
    package struct Answer: Sendable {
        package var status: Int
        package var headers: [String: String]
        package var body: String
    }

    /// Asks for a path.
    package static func get(
        _ port: Int, _ path: String, headers: [String] = [], method: String = "GET",
        seconds: Double = 60
    ) throws(TidemarkError) -> Answer {
        let head = ["\(method) \(path) HTTP/1.1", "Host: test", "Connection: close"] + headers
        return try exchange(
            port, head.joined(separator: "\r\n") + "\r\n\r\n", seconds: seconds)
    }

    /// Waits until a sidecar's `/health/database` answers so; returns its body.
    @discardableResult
    package static func waitHealth(
        _ port: Int, _ status: Int = 200, seconds: Double = 60
    ) throws -> String {
        try eventually("/health/database answers \(status)", seconds: seconds) {
            guard let answer = try? get(port, "/health/database"), answer.status == status else {
                return nil
            }
            return answer.body
        }
    }

    /// The first sample of this name in `/metrics`; nil when there is none.
    package static func metric(_ port: Int, _ name: String) throws(TidemarkError) -> Double? {
        for line in try get(port, "/metrics").body.split(separator: "\n") {
            guard line.hasPrefix(name + "{") || line.hasPrefix(name + " ") else { continue }
            return Double(line.split(separator: " ").last ?? "")
        }
        return nil
    }

    /// Sends these bytes and reads until the server closes.
    package static func exchange(
        _ port: Int, _ bytes: String, seconds: Double = 60
    ) throws(TidemarkError) -> Answer {
        let connection = try LoopbackConnection(port)
        connection.send(bytes)
        return try answer(
            try connection.receive(seconds: seconds) { (text: String) in isWhole(text) })
    }

    private static func isWhole(_ text: String) -> Bool {
        guard let answer = try? answer(text), let length = answer.headers["content-length"] else {
            return false
        }
        return answer.body.utf8.count >= Int(length) ?? 0
    }

    private static func answer(_ text: String) throws(TidemarkError) -> Answer {
        guard let end = text.firstRange(of: "\r\n\r\n") else {
            throw TidemarkError(.failed, "no HTTP answer: \(text.prefix(300))")
        }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count > 1, let status = Int(words[1]) else {
            throw TidemarkError(.failed, "no HTTP answer: \(text.prefix(300))")
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
            headers[(parts.first ?? "").lowercased()] = String(value)
        }
        return Answer(status: status, headers: headers, body: String(text[end.upperBound...]))
    }
}
