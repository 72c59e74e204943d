import Model

/// How the history of a change stream is told from that of an oplog: by its timeline's name.
///
/// `<replicaSetId>.changes`, and `<replicaSetId>.changes.2` behind a history that was lost for
/// good. What the two have of one set does not join: their documents differ.
enum ChangeTimeline {
    private static let suffix = ".changes"

    static func first(_ identity: String) -> TimelineID { TimelineID(identity + suffix) }

    static func isOne(_ timeline: TimelineID) -> Bool {
        timeline.name.hasSuffix(suffix) || timeline.name.contains(suffix + ".")
    }

    /// What change streams do not tell; for `check`, and for whoever restores.
    static func omissions(_ features: ChangeFeatures) -> [String] {
        features.hasExpandedEvents ? always : always + beforeExpanded
    }

    private static let always = [
        "change streams carry no users and roles, no views, no time series and nothing of admin, "
            + "config and local: those are as the base backup has them",
        "nor what a rename between databases, convertToCapped or cloneCollectionAsCapped copied: "
            + "take a base backup after one",
    ]

    private static let beforeExpanded = [
        "before 6.0 change streams do not tell of create, collMod, createIndexes and dropIndexes "
            + "either: those are as the base backup has them",
        "before 6.0 they tell times to the second: a time target also brings what was committed "
            + "later in the same second",
    ]
}
