package import Model

extension TimelineID {
    /// A Postgres timeline: its number in decimal, `1`.
    package init(postgres number: UInt32) { self.init(String(number)) }

    /// The number; nil when the name is not a Postgres timeline.
    package var postgresNumber: UInt32? {
        guard let number = UInt32(name), number > 0, String(number) == name else { return nil }
        return number
    }
}
