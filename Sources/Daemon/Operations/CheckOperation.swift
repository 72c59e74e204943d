package import Model
import Platform
import Repository

/// `check`: every missing setting or privilege of the repository and of every source.
package struct CheckOperation: Sendable {
    private let configuration: Configuration
    private let time = SystemTimeSource()

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// One report for the repository, then one per source. Throws only when nothing can be said.
    package func run() throws(TidemarkError) -> [CheckReport] {
        [repository()] + configuration.sources.map(source)
    }

    private func repository() -> CheckReport {
        var findings = configuration.notices.map { Finding(.warning, $0) }
        do throws(TidemarkError) {
            let archive = try configuration.repository.archive()
            if try archive.isEmpty() {
                findings.append(
                    Finding(.ok, "\(archive.store.url) is empty; `tidemark run` makes the archive"))
            } else {
                let marker = try archive.open()
                findings.append(
                    Finding(.ok, "\(archive.store.url) holds the archive \(marker.archive)"))
            }
            try archive.probeWriting(now: time.wall())
            findings.append(Finding(.ok, "\(archive.store.url) can be written to"))
            return CheckReport(subject: "repository", findings: findings)
        } catch {
            findings.append(Finding(.error, error.message, remedy: error.remedy))
            return CheckReport(subject: "repository", findings: findings, failure: error)
        }
    }

    private func source(_ source: SourceConfiguration) -> CheckReport {
        do throws(TidemarkError) {
            let inspector = try Rooms.room(source, time: time).inspector()
            defer { inspector.close() }
            return CheckReport(subject: source.name.name, findings: try inspector.check())
        } catch {
            return CheckReport(
                subject: source.name.name,
                findings: [Finding(.error, error.message, remedy: error.remedy)], failure: error)
        }
    }
}
