/// Looks for what does not fit together in the content of one base backup: what a checksum cannot
/// tell, since it was stored as it came.
package protocol BaseBackupCheck: Sendable {
    /// A look at one file; nil where nothing in it matters. Asked from several threads.
    func file(_ file: StoredFile) -> (any BaseBackupFileCheck)?
    /// Whether the stream from the start of the base backup to its end is to be handed over, after
    /// all files: until then its content is of different moments.
    var takesStream: Bool { get }
    /// The stream; `first` is where the segment begins that the bytes are of. One thread.
    func stream(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError)
    /// What was found, once everything was handed over.
    func findings() -> [BaseBackupFinding]
}

/// The content of one file, from front to back. One thread.
package protocol BaseBackupFileCheck: AnyObject {
    func take(_ bytes: RawSpan) throws(TidemarkError)
    /// Says that nothing follows, and that the file is what was stored. Not called for a damaged
    /// one, which is told already.
    func finish() throws(TidemarkError)
}

/// Something in a base backup that does not fit together, or could not be looked at.
package struct BaseBackupFinding: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A part of it is not there.
        case incomplete
        /// Nobody knows from this base backup alone.
        case unchecked
    }

    package var kind: Kind
    /// One sentence, lower case, without full stop.
    package var what: String
    package var remedy: String

    package init(_ kind: Kind, _ what: String, remedy: String) {
        self.kind = kind
        self.what = what
        self.remedy = remedy
    }
}
