package import Monitoring

/// Whom to call, and what for.
package struct AlertConfiguration: Sendable, Hashable {
    package var webhook: Secret
    package var events: Set<AlertEvent>
}
