package import Model
package import Platform

/// Reads the archive back and says what is wrong with it, all of it.
///
/// Blocking, on the calling thread and a few of its own. Changes nothing. A sidecar, a base backup
/// and retention may work meanwhile: what they move is not taken for damage.
package final class Verifier {
    private let context: VerifyContext
    private let options: VerificationOptions
    private let clock: any TimeSource
    private let rules: (SourceDescriptor) -> VerificationRules?
    private var problems: [VerificationProblem] = []
    private var found: [SourceVerification] = []

    /// - Parameter rules: nil for a database that this program does not know.
    package init(
        _ repository: ArchiveRepository, _ options: VerificationOptions, clock: any TimeSource,
        rules: @escaping (SourceDescriptor) -> VerificationRules?
    ) {
        context = VerifyContext(
            repository: repository, isDeep: options.isDeep,
            progress: Monitor(VerificationProgress()))
        self.options = options
        self.clock = clock
        self.rules = rules
    }

    /// Blocks until everything was looked at. `progress` is called a few times a second on the
    /// calling thread and may throw `cancelled`.
    ///
    /// Throws `repositoryUnreachable` when there is no archive, or it goes away, `configuration`
    /// for a named source of which nothing is there; what is wrong inside it is in the report.
    package func run(
        progress: (VerificationProgress) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> VerificationReport {
        precondition(found.isEmpty, "a verifier runs once")
        let started = clock.wall()
        let archive = try marker()
        for source in try sources() {
            guard let verifier = try self.verifier(source) else { continue }
            let progressNow = context.progress
            try verifier.run(threads: options.threads) { () throws(TidemarkError) in
                try progress(progressNow.read { $0 })
            }
            found.append(verifier.found)
            problems += verifier.problems
        }
        let last = context.progress.read { $0 }
        try progress(last)
        return VerificationReport(
            repository: context.store.url, archive: archive, deep: options.isDeep,
            started: started, finished: clock.wall(),
            state: problems.contains(where: \.isProblem) ? .damaged : .sound,
            objects: last.objects, readBytes: last.bytes, sources: found,
            problems: problems.sorted {
                ($0.source?.name ?? "", $0.key, $0.what) < ($1.source?.name ?? "", $1.key, $1.what)
            })
    }

    /// A missing marker, or one of another format, is an error; a damaged one a problem.
    private func marker() throws(TidemarkError) -> String? {
        do {
            return try context.repository.open().archive
        } catch let error where error.code == .archiveDamaged {
            problems.append(try context.problem(error, Layout.marker, of: nil))
            return nil
        }
    }

    /// Every source that has anything in the archive, or those that were asked for. A misspelt name
    /// is no damage; a source that has lost its descriptor still has other files.
    private func sources() throws(TidemarkError) -> [SourceID] {
        var names = options.sources
        if names.isEmpty {
            for info in try context.store.list("") {
                let parts = info.key.path.split(separator: "/")
                if parts.count > 1, let name = SourceID(String(parts[0])) { names.insert(name) }
            }
        }
        for name in options.sources where try context.store.list("\(name)/").isEmpty {
            throw TidemarkError(
                .configuration, "the archive at \(context.store.url) has no source \(name)",
                remedy: "`tidemark list` shows what it has")
        }
        return names.sorted()
    }

    private func verifier(_ source: SourceID) throws(TidemarkError) -> SourceVerifier? {
        let key = Layout.descriptor(source)
        let (descriptor, problem) = try context.document(
            SourceDescriptor.self, key, of: source)
        if let problem { problems.append(problem) }
        guard let descriptor else {
            if problem == nil { problems.append(noDescriptor(source, key)) }
            return nil
        }
        guard descriptor.source == source, let rules = rules(descriptor) else {
            problems.append(
                VerificationProblem(
                    source: source, key: key.path, kind: .damaged,
                    what: "\(key) describes \(descriptor.kind) \(descriptor.source) in a way this "
                        + "version of tidemark cannot follow",
                    remedy: "use the version of tidemark that wrote it, or a newer one"))
            return nil
        }
        return SourceVerifier(context, descriptor, rules)
    }

    private func noDescriptor(_ source: SourceID, _ key: ObjectKey) -> VerificationProblem {
        VerificationProblem(
            source: source, key: key.path, kind: .missing,
            what: "\(source) has no source.json, so nobody knows which database it is",
            remedy: "restore this file from a copy of the archive")
    }
}
