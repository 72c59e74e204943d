/// Where valid WAL ends in a file that is longer than its WAL, and how that shows.
package struct WalEnd: Hashable, Sendable {
    package enum Sign: Hashable, Sendable {
        /// Zeros where a record or a page header would be: the file was allocated ahead.
        case zeros
        /// A page of an earlier segment: the server reuses files.
        case recycledPage
    }

    /// Start of the record that is not there, or not all there.
    package var position: UInt64
    package var sign: Sign

    package init(position: UInt64, sign: Sign) {
        self.position = position
        self.sign = sign
    }
}
