package import Model

/// What a verification looks at, and what it asks of its caller.
package struct VerificationOptions: Sendable {
    /// Reads all content; otherwise names, sizes, footers and manifests.
    package var isDeep: Bool
    /// Only these sources; all when empty.
    package var sources: Set<SourceID>
    /// Objects read at once, 1 to 4; each needs about 3 MiB.
    package var threads: Int

    package init(isDeep: Bool, sources: Set<SourceID> = [], threads: Int = 2) {
        precondition((1...4).contains(threads), "verification uses one to four threads")
        self.isDeep = isDeep
        self.sources = sources
        self.threads = threads
    }
}
