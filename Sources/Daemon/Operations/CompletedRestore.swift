package import Model

/// A restore whose work is done. What it left at its places, so that a run which is ended now is
/// known to be complete, goes when the result has been told.
package struct CompletedRestore {
    /// Takes away what one source's place is known by.
    typealias Conclusion = () throws(TidemarkError) -> Void

    package private(set) var report: RestoreReport
    private var conclusions: [Conclusion] = []

    init(report: RestoreReport) { self.report = report }

    mutating func add(_ source: RestoredSource, _ conclude: @escaping Conclusion) {
        report.sources.append(source)
        conclusions.append(conclude)
    }

    /// Called last: behind it only the exit status is left to tell. Throws the first failure, after
    /// all were tried.
    package func conclude() throws(TidemarkError) {
        var failure: TidemarkError?
        for conclude in conclusions {
            do throws(TidemarkError) { try conclude() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }
}
