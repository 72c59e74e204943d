/// `synchronous_standby_names`: whose confirmation a commit waits for (manual, 20.6.2).
///
/// `a, b` means `FIRST 1 (a, b)`; `N (…)` means `FIRST N (…)`; names may be in double quotes, and
/// `*` is everybody. Compared without case, as the server does.
struct SyncStandbyNames: Sendable, Equatable {
    /// How many of `names` must confirm.
    var needed: Int
    var names: [String]

    init(_ text: String) {
        needed = 1
        var list = Substring(text)
        if let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close {
            let words = text[..<open].split(separator: " ")
            needed = words.last.flatMap { Int($0) } ?? 1
            list = text[text.index(after: open)..<close]
        }
        names = list.split(separator: ",").map { word in
            let bare = word.split(separator: " ").joined(separator: " ")
            guard bare.hasPrefix("\""), bare.hasSuffix("\""), bare.count >= 2 else { return bare }
            return String(bare.dropFirst().dropLast())
        }.filter { !$0.isEmpty }
    }

    func contains(_ name: String) -> Bool {
        names.contains { $0 == "*" || $0.lowercased() == name.lowercased() }
    }

    /// Whether commits must stop when `name` is away: too few others are listed.
    func needs(_ name: String) -> Bool {
        guard contains(name), !names.contains("*") else { return false }
        return names.filter { $0.lowercased() != name.lowercased() }.count < needed
    }
}
