/// Finds the known word that a misspelt one was probably meant to be.
package enum Suggestion {
    /// Nil when nothing is near: more than a third of the letters (at least two) would change.
    package static func nearest(to word: String, among known: [String]) -> String? {
        let limit = max(2, word.count / 3)
        let ranked = known.map { (word: $0, distance: distance(word, $0)) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= limit,
            best.distance < best.word.count
        else { return nil }
        return best.word
    }

    /// Letters to insert, drop or replace, a swap of neighbours counting once (optimal string
    /// alignment).
    static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.lowercased()), Array(b.lowercased()))
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
