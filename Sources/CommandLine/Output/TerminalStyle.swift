import Daemon

/// Colours and weight, on a terminal only.
struct TerminalStyle {
    private let isOn: Bool

    init(isOn: Bool) { self.isOn = isOn }

    /// For standard output: on when it is a terminal that is not dumb and NO_COLOR is not set.
    static var output: TerminalStyle {
        let environment = Environment.process
        let isPlain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return TerminalStyle(
            isOn: Output.isTerminal && !isPlain && environment["TERM"] != "dumb")
    }

    func bold(_ text: String) -> String { wrap(text, "1") }
    func red(_ text: String) -> String { wrap(text, "31") }
    func yellow(_ text: String) -> String { wrap(text, "33") }
    func green(_ text: String) -> String { wrap(text, "32") }

    private func wrap(_ text: String, _ code: String) -> String {
        isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
