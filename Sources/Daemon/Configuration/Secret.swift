/// A text that must appear in no log, message or document: printing it gives `***`.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let text: String

    package init(_ text: String) { self.text = text }

    /// The secret itself; only for the call that connects.
    package func reveal() -> String { text }

    package var description: String { "***" }
    package var debugDescription: String { "***" }
    /// Keeps `dump` and string interpolation of an enclosing value from looking inside.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
