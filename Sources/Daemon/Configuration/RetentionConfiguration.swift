/// What is kept, as configured; a value that is nil asks for nothing.
package struct RetentionConfiguration: Sendable, Hashable {
    /// Every moment this far back stays restorable; nil: for ever.
    package var window: Duration?
    /// Base backups kept beyond the window.
    package var daily: Int?
    package var weekly: Int?
    package var monthly: Int?
    package var yearly: Int?

    /// Whether anything may expire at all.
    package var isForEver: Bool { window == nil }
}
