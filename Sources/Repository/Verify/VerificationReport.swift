package import Model

/// The result of `verify`, as `--json` prints it.
package struct VerificationReport: Hashable, Sendable, Codable {
    package enum State: String, Sendable, Codable { case sound, damaged }

    package var repository: String
    /// The archive's id; nil when its marker cannot be read.
    package var archive: String?
    /// Whether all content was read, or only names, sizes, footers and manifests.
    package var deep: Bool
    package var started: CommitTime
    package var finished: CommitTime
    package var state: State
    /// Objects looked at, and bytes read of them.
    package var objects: Int
    package var readBytes: UInt64
    package var sources: [SourceVerification]
    /// By source and key.
    package var problems: [VerificationProblem]

    enum CodingKeys: String, CodingKey {
        case repository, archive, deep, started, finished, state, objects, sources, problems
        case readBytes = "read_bytes"
    }

    /// What the command ends with: exit status 4 when there is any problem, nil when there is none.
    package var failure: TidemarkError? {
        let real = problems.filter(\.isProblem)
        guard let first = real.first else { return nil }
        let count = real.count == 1 ? "1 problem" : "\(real.count) problems"
        return TidemarkError(
            .archiveDamaged, "the archive at \(repository) has \(count), the first: \(first.what)",
            remedy: first.remedy)
    }
}
