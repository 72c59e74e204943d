/// One whole command of the stream, as the splitter saw it.
package struct StreamCommand: Sendable, Hashable {
    package var kind: CommandKind
    /// It covers `[first, last)`.
    package var first: UInt64
    package var last: UInt64
    /// With the name.
    package var argumentCount: Int

    package init(kind: CommandKind, first: UInt64, last: UInt64, argumentCount: Int) {
        self.kind = kind
        self.first = first
        self.last = last
        self.argumentCount = argumentCount
    }
}
