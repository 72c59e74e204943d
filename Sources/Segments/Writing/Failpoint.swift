import Model

/// A step of the writer after which a crash leaves something different behind.
///
/// Each is named for what has just happened; tests stop there, the program passes through.
package enum Failpoint: String, Sendable, CaseIterable {
    /// A new open segment exists and is empty.
    case segmentCreated
    /// A frame was written and is not yet durable.
    case frameWritten
    /// Everything written is durable.
    case frameSynced
    /// The last byte of a segment is durable in its open file.
    case contentComplete
    /// The footer was written behind the frames; the file has its open name.
    case footerWritten
    /// The sealed file exists under its name.
    case segmentSealed
    /// Half of the rewritten copy was written.
    case rewriteBegun
    /// The rewritten copy is written and not yet visible.
    case rewriteWritten
    /// The rewritten copy is visible and durable; the open file exists too.
    case rewriteFinished
    /// The open file of a sealed segment was removed.
    case leftoverDiscarded
    /// An open segment that is damaged was copied aside; nothing of it is cut off yet.
    case damageSetAside
    /// The torn end of an open segment was cut off.
    case tailRepaired
    /// A document of the timeline is durable.
    case documentAttached
}

/// Called at each failpoint; throwing there looks like a crash to everything above.
typealias FailpointHook = @Sendable (Failpoint) throws(TidemarkError) -> Void
