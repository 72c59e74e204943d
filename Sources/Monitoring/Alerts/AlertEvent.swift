/// What an alert can be sent for.
package enum AlertEvent: String, Sendable, CaseIterable {
    case breached, gap, stalled
    /// Little is left of what the source keeps for the archive.
    case windowShort = "window-short"
    case drillFailed = "drill-failed"
}
