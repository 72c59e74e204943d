import Model

/// Names of damaged files that were copied aside: `X.partial.damaged-OFFSET`, then `-2`, `-3`.
package enum SetAside {
    private static let mark = ".partial.damaged-"

    /// - Parameters:
    ///   - key: The open segment.
    ///   - offset: Where in the file the last whole frame ends.
    ///   - number: Counts copies of the same place, from 1.
    static func key(of key: ObjectKey, at offset: UInt64, _ number: Int) -> ObjectKey {
        ObjectKey("\(key).damaged-\(offset)" + (number == 1 ? "" : "-\(number)"))
    }

    /// Whether a file of a timeline's folder is such a copy.
    package static func isOne(_ name: String) -> Bool { name.contains(mark) }
}
