package import Model

/// What the configuration's contract knows and this version does not do yet.
///
/// Nothing is ignored in silence: what would make an archive other than asked for is refused, what
/// only comes later is told.
package enum UnbuiltFeatures {
    /// Throws at the first key that asks for what this version cannot do.
    static func refuse(_ settings: Settings) throws(TidemarkError) {
        if try settings.value(OptionTable.compression) == .zstd {
            throw refusal(
                settings, "repository.compression", "zstd is not in this version of tidemark",
                remedy: "use lz4 or gzip")
        }
        if case .s3 = try settings.value(OptionTable.repositoryURL) {
            throw refusal(
                settings, "repository.url", "S3 is not in this version of tidemark",
                remedy: "use file:///path")
        }
        let sections = [
            ("repository.encryption", "encryption is not in this version of tidemark"),
            ("repository.copies", "copies to a second place are not in this version of tidemark"),
        ]
        for (path, problem) in sections where settings.hasContent(path) {
            throw refusal(settings, path, problem, remedy: "remove the section")
        }
    }

    /// Why no archive can lie there; nil when one can.
    package static func refusal(of place: RepositoryURL) -> TidemarkError? {
        switch place {
        case .file: nil
        case .s3:
            TidemarkError(
                .usage, "\(place.description): S3 is not in this version of tidemark",
                remedy: "use a folder, best of another machine's disk that is mounted here: "
                    + "--repository file:///path")
        }
    }

    /// Sections that are read and have no effect yet.
    static func notices(_ settings: Settings) -> [String] {
        let sections = [
            ("retention", "this version of tidemark expires nothing: everything is kept"),
            ("drill", "this version of tidemark runs no drills"),
        ]
        return sections.filter { settings.hasContent($0.0) }.compactMap { path, notice in
            settings.line(of: path).map { "\(settings.file):\($0): \(path): \(notice)" }
        }
    }

    private static func refusal(
        _ settings: Settings, _ path: String, _ problem: String, remedy: String
    ) -> TidemarkError { settings.complaint(path, problem, remedy: remedy) }
}
