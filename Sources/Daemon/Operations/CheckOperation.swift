import Glibc
package import Model
import Platform
import Repository

/// `check`: every missing setting or privilege of the repository and of every source, and whatever
/// `run` would refuse.
package struct CheckOperation: Sendable {
    private let configuration: Configuration
    private let time = SystemTimeSource()

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// What `run` would find at the repository's place.
    private enum Place {
        case archive(ArchiveRepository)
        /// It would make a new archive there.
        case vacant
        /// It would not start.
        case refused
    }

    /// One report for the repository, then one per source. Throws only when nothing can be said.
    package func run() throws(TidemarkError) -> [CheckReport] {
        var place = Place.refused
        let first = repository(&place)
        return [first] + configuration.sources.map { source($0, place) } + monitoring(place)
    }

    // MARK: monitoring

    /// `run` archives without it, so it is no error; and where a sidecar archives already, it is
    /// that one which listens.
    private func monitoring(_ place: Place) -> [CheckReport] {
        guard let listen = configuration.monitoring.listen else { return [] }
        let failure = ListenTest.failure(host: listen.host, port: listen.port)
        guard let failure, !(failure.isTaken && hasSidecar(place)) else { return [] }
        return [
            CheckReport(
                subject: "monitoring",
                findings: [
                    Finding(
                        .warning,
                        "\(listen) cannot be listened on: \(failure.words); `tidemark run` would "
                            + "archive without its page, /health and /metrics",
                        remedy: "ss -ltnp sport = :\(listen.port) shows who has it; or give "
                            + "monitoring.listen another address")
                ])
        ]
    }

    private func hasSidecar(_ place: Place) -> Bool {
        guard case .archive(let archive) = place else { return false }
        return configuration.sources.contains { source in
            // What cannot be read is told of the repository.
            let mark = try? archive.watermark(source.name)
            return mark?.isLive(time.reading()) ?? false
        }
    }

    // MARK: the repository

    private func repository(_ place: inout Place) -> CheckReport {
        var findings = configuration.notices.map { Finding(.warning, $0) }
        do throws(TidemarkError) {
            try look(&findings, &place)
            return CheckReport(subject: "repository", findings: findings)
        } catch {
            return CheckReport(subject: "repository", findings: findings, failure: error)
        }
    }

    private func look(
        _ findings: inout [Finding], _ place: inout Place
    ) throws(TidemarkError) {
        if let path = absentFolder {
            let finding = try absence(path)
            findings.append(finding)
            if finding.level != .error { place = .vacant }
            return
        }
        let archive = try configuration.repository.archive()
        let url = archive.store.url
        if try archive.store.size(Layout.marker) != nil {
            let marker = try archive.open()
            findings.append(Finding(.ok, "\(url) holds the archive \(marker.archive)"))
            place = .archive(archive)
        } else {
            try archive.checkVacant()
            findings.append(Finding(.ok, "\(url) is empty; `tidemark run` makes the archive"))
            place = .vacant
        }
        try archive.probeWriting(now: time.wall())
        findings.append(Finding(.ok, "\(url) can be written to"))
    }

    /// The repository's folder when it does not exist.
    private var absentFolder: String? {
        guard let path = configuration.repository.folder else { return nil }
        return unsafe access(path, F_OK) != 0 && errno == ENOENT ? path : nil
    }

    /// `run` makes it, if it may.
    private func absence(_ path: String) throws(TidemarkError) -> Finding {
        var nearest = path
        while unsafe access(nearest, F_OK) != 0, errno == ENOENT, nearest != "/" {
            nearest = Directory.parent(nearest)
        }
        guard unsafe access(nearest, W_OK | X_OK) == 0 else {
            return Finding(
                .error, "\(path) does not exist, and this user may not make it in \(nearest)",
                remedy: "install -d \(rights) -o \(UserIdentity.currentName)\(readers) \(path) "
                    + "# as root")
        }
        return Finding(
            .warning, "\(path) does not exist; `tidemark run` makes it",
            remedy: "if it should be there, mount it first: mount \(path)")
    }

    /// A restored Postgres fetches its WAL from the archive, so its group reads all that is made in
    /// there.
    private var hasReaders: Bool {
        configuration.sources.contains { $0.kind == .postgres }
            && UserIdentity.hasGroup("postgres")
    }
    private var rights: String { hasReaders ? "-m 2750" : "-m 750" }
    private var readers: String { hasReaders ? " -g postgres" : "" }

    // MARK: sources

    private func source(_ source: SourceConfiguration, _ place: Place) -> CheckReport {
        var findings: [Finding] = []
        do throws(TidemarkError) {
            let inspector = try Rooms.room(source, time: time).inspector()
            defer { inspector.close() }
            findings = try inspector.check()
            findings += try match(source, place, inspector)
            return CheckReport(subject: source.name.name, findings: findings)
        } catch {
            return CheckReport(subject: source.name.name, findings: findings, failure: error)
        }
    }

    /// Whether server and archive belong together.
    private func match(
        _ source: SourceConfiguration, _ place: Place, _ inspector: any SourceInspector
    ) throws(TidemarkError) -> [Finding] {
        var known: SourceDescriptor?
        switch place {
        case .archive(let archive): known = try archive.descriptor(source.name)
        case .vacant: break
        case .refused: return []
        }
        guard let known else {
            guard let claim = try NewArchive.claim(source, time) else { return [] }
            return [Finding(.error, claim.message, remedy: claim.remedy)]
        }
        let identity: String?
        do throws(TidemarkError) {
            identity = try inspector.probe().identity
        } catch let error where error.code == .sourceRefused || error.code == .sourceUnreachable {
            // Its reason stands among the findings.
            return []
        }
        guard source.kind.hasLastingIdentity, let identity, identity != known.identity else {
            return []
        }
        return [
            Finding(
                .error,
                "the server (system identifier \(identity)) is another one than the archive's "
                    + "source \(source.name) (\(known.identity))",
                remedy: "correct the URL, or archive this server under a new source name")
        ]
    }
}
