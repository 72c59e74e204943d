import Model
import Glibc

/// Asks `condition` again and again until it gives a value, at most `seconds` long.
///
/// For threads (inside `offPool`). Throws `failed` naming `what` when the time is over.
@discardableResult
package func eventually<Value>(
    _ what: String, seconds: Double = 30, _ condition: () throws -> Value?
) throws -> Value {
    let end = uptime() + seconds
    while true {
        if let value = try condition() { return value }
        if uptime() > end {
            throw TidemarkError(.failed, "waited \(seconds) s in vain: \(what)")
        }
        poll(nil, 0, 5)
    }
}

/// Asks `condition` again and again until it is true, at most `seconds` long.
package func eventually(
    _ what: String, seconds: Double = 30, _ condition: () throws -> Bool
) throws {
    try eventually(what, seconds: seconds) { try condition() ? true : nil as Bool? }
}

private func uptime() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}
