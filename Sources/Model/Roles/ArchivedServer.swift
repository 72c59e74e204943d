/// What is known of the server that an archive is of, beside its descriptor: a restore never writes
/// over it, whatever it is called where it is to go.
package struct ArchivedServer: Sendable {
    /// Every timeline that the archive has of it.
    package var timelines: Set<TimelineID>
    /// Its URL, where a configuration names it; may hold a password.
    package var url: String?

    package init(timelines: Set<TimelineID> = [], url: String? = nil) {
        self.timelines = timelines
        self.url = url
    }
}

extension RestoreOrder {
    /// The refusal of a live server that is the archive's own source.
    ///
    /// - Parameters:
    ///   - place: of the server, for messages.
    ///   - proof: what tells it, as a part of a sentence.
    package func overItsSource(_ place: String, _ proof: String) -> TidemarkError {
        TidemarkError(
            .destinationOccupied,
            "the server at \(place) is the one that \(source) is archived from: \(proof)",
            remedy: "restore into an empty server beside it, and switch the clients over; --force "
                + "does not change this; where nothing in it is needed any more, set it up anew "
                + "without its data: then it is another server")
    }
}
