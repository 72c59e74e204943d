/// A text that takes the place of the one before on a terminal.
enum Redraw {
    /// From the top left corner, line over line, and away with what is left below: nothing is blank
    /// in between, so nothing flickers (ECMA-48: CUP, EL, ED).
    static func over(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return "\u{1B}[H" + lines.joined(separator: "\u{1B}[K\n") + "\u{1B}[J"
    }
}
