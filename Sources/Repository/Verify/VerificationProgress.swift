/// How far a verification is.
package struct VerificationProgress: Sendable, Hashable {
    package var objects = 0
    /// Objects known so far; grows with each source.
    package var totalObjects = 0
    package var bytes: UInt64 = 0
    /// Bytes that will be read; 0 when only footers are.
    package var totalBytes: UInt64 = 0
}
