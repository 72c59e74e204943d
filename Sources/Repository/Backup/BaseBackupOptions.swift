import Platform
package import Segments

/// How a base backup is taken.
package struct BaseBackupOptions: Sendable {
    /// What the source calls it while it runs.
    package var label: String
    /// Ask for an immediate checkpoint instead of waiting for the next one, which can take minutes.
    package var isFast: Bool
    /// Threads that compress. Default: `defaultWorkers`.
    package var workers: Int
    package var compression: Compression
    /// LZ4 only, see `Compression.encoder`. Default 4: on table data it stores 2 % more than 1 and
    /// leaves the server, which shares the cores, a tenth more of them.
    package var acceleration: Int32

    /// As many as there are processors, at least two and at most four.
    package static var defaultWorkers: Int { max(2, min(4, Machine.processors)) }

    package init(
        label: String = "tidemark", isFast: Bool = true, workers: Int? = nil,
        compression: Compression = .lz4, acceleration: Int32 = 4
    ) {
        let workers = workers ?? Self.defaultWorkers
        precondition((1...16).contains(workers), "one to sixteen threads compress")
        self.compression = compression
        self.acceleration = acceleration
        self.label = label
        self.isFast = isFast
        self.workers = workers
    }
}
