import FoundationEssentials
import Model

/// `status --json` of one source, as far as the tests look.
package struct StatusReport: Decodable, Sendable {
    package struct Gap: Decodable, Sendable {
        package var first: String
        package var last: String
        package var reason: String
    }

    package struct Backup: Decodable, Sendable { package var id: String }
    package struct Window: Decodable, Sendable { package var from: String; package var to: String }
    package struct Room: Decodable, Sendable { package var kind: String }

    package var state: String
    package var timeline: String?
    package var archivedPosition: String?
    package var restorableTo: String?
    package var exposureSeconds: Double?
    package var objective: String
    package var recoveryWindows: [Window]
    package var gaps: [Gap]
    package var lastBackup: Backup?
    package var sourceWindow: Room?
    package var reason: String

    private enum CodingKeys: String, CodingKey {
        case state, timeline, objective, gaps, reason
        case archivedPosition = "archived_position"
        case restorableTo = "restorable_to"
        case exposureSeconds = "exposure_seconds"
        case recoveryWindows = "recovery_windows"
        case lastBackup = "last_backup"
        case sourceWindow = "source_window"
    }

    private struct Document: Decodable { var sources: [StatusReport] }

    /// The first source of the output.
    package static func first(of output: String) throws -> StatusReport {
        let document = try JSONDecoder().decode(Document.self, from: Data(output.utf8))
        guard let first = document.sources.first else {
            throw TidemarkError(.failed, "status lists no source")
        }
        return first
    }
}
