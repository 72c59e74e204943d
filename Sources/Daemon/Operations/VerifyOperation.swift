package import Model
import Platform
import Repository

/// `verify`: reads the archive back.
package struct VerifyOperation: Sendable {
    private let configuration: Configuration
    private let sources: [SourceID]
    /// Decompress and checksum the content too.
    private let isDeep: Bool
    private let progress: any ProgressObserver

    /// - Parameter sources: empty for every source of the archive.
    package init(
        _ configuration: Configuration, sources: [SourceID], isDeep: Bool,
        progress: any ProgressObserver
    ) {
        self.configuration = configuration
        self.sources = sources
        self.isDeep = isDeep
        self.progress = progress
    }

    /// Problems are in the report; an error means that reading itself failed.
    package func run() throws(TidemarkError) -> VerifyReport {
        let verifier = Verifier(
            try configuration.repository.archive(),
            VerificationOptions(isDeep: isDeep, sources: Set(sources)), clock: SystemTimeSource(),
            rules: Rooms.verificationRules)
        // Names and footers are a few bytes, and no measure of anything.
        if isDeep { progress.began("verify", total: nil) }
        var isDone = false
        defer { if isDeep { progress.ended(isDone: isDone) } }
        let report = try verifier.run { (state) throws(TidemarkError) in
            if isDeep { progress.advanced(to: state.bytes) }
        }
        isDone = true
        return VerifyReport(report, deep: isDeep)
    }
}

extension VerifyReport {
    init(_ report: VerificationReport, deep: Bool) {
        var sources = report.sources.map { source in
            VerifiedSource(
                name: source.name, segments: source.segments, backups: source.baseBackups,
                storedBytes: source.storedBytes,
                problems: report.problems.filter { $0.source == source.name && $0.isProblem }
                    .map(\.text),
                warnings: Self.unusable(source)
                    + report.problems.filter { $0.source == source.name && !$0.isProblem }
                    .map(\.text))
        }
        let named = Set(sources.map(\.name))
        for problem in report.problems {
            guard let source = problem.source, !named.contains(source) else { continue }
            sources.append(
                VerifiedSource(
                    name: source, segments: 0, backups: 0, storedBytes: 0,
                    problems: [problem.text]))
        }
        self.init(
            sources: sources,
            problems: report.problems.filter { $0.source == nil }.map(\.text), deep: deep)
    }
}

extension VerifyReport {
    /// Nothing is wrong with what is there, and yet it brings nothing back.
    private static func unusable(_ source: SourceVerification) -> [String] {
        guard source.baseBackups == 0 else { return [] }
        return [
            "there is no base backup, so nothing of it can be restored (`tidemark run` takes the "
                + "first by itself, `tidemark backup` takes one now)"
        ]
    }
}

extension VerificationProblem {
    /// The file, what is wrong with it, and what to do.
    fileprivate var text: String {
        let place = what.contains(key) ? "" : "\(key): "
        return remedy.isEmpty ? place + what : "\(place)\(what) (\(remedy))"
    }
}
