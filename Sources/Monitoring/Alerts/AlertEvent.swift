/// What an alert can be sent for.
package enum AlertEvent: String, Sendable, CaseIterable {
    case breached, gap, stalled
    case drillFailed = "drill-failed"
}
