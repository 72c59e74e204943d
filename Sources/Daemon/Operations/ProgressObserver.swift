/// Is told how far long work has come, and shows it. May be called from any thread.
package protocol ProgressObserver: Sendable {
    /// A piece of work starts; `total` is the number of bytes it will have, nil when unknown.
    func began(_ what: String, total: UInt64?)
    /// Bytes done so far of the work that was begun last. Cheap: most calls show nothing.
    func advanced(to bytes: UInt64)
    /// - Parameter isDone: false when the work was given up.
    func ended(isDone: Bool)
}
