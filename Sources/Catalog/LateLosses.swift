package import Model

// Timelines that lack something amid what they have.
extension CatalogSnapshot {
    /// The first of it on a line of descent; nil where the line is whole.
    package func lateLoss(on path: TimelinePath) -> LateLoss? {
        for section in path.sections {
            if let loss = lateLosses[section.timeline], loss.wholeUntil < section.end {
                return loss
            }
        }
        return nil
    }
}
