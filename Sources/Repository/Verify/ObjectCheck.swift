import Model
import Platform
import Segments

/// Reads one object back and tells what it is and what is wrong with it.
struct ObjectCheck: Sendable {
    /// What to look at.
    enum Job: Sendable {
        /// `next` goes on where it ends, if anything does.
        case sealed(SegmentListing, next: SegmentListing?)
        case open(SegmentListing)
        case document(TimelineID, String, ObjectKey)
        case stored(BaseBackupDescriptor, StoredFile)

        /// Bytes that a deep verification reads of it.
        var storedBytes: UInt64 {
            switch self {
            case .sealed(let segment, _), .open(let segment): segment.storedBytes
            case .document: 0
            case .stored(_, let file): file.storedBytes
            }
        }
    }

    /// What was found.
    struct Outcome: Sendable {
        var link: (timeline: TimelineID, ChainCheck.Link)?
        var document: (timeline: TimelineID, name: String, content: [UInt8])?
        var problems: [VerificationProblem] = []
    }

    let context: VerifyContext
    let descriptor: SourceDescriptor
    let style: any PositionStyle
    /// See `VerificationRules`.
    let scan: @Sendable (TimelineID) -> (any HistoryScan)?

    /// The timeline that the source was on at last; nil when nothing tells.
    let current: TimelineID?

    /// By the base backup's id.
    let contents: [String: any BaseBackupCheck]

    private var source: SourceID { descriptor.source }

    func run(_ job: Job) throws(TidemarkError) -> Outcome {
        defer { context.progress.update { $0.objects += 1 } }
        switch job {
        case .sealed(let listing, let next): return try sealed(listing, next)
        case .open(let listing): return try open(listing)
        case .document(let timeline, let name, let key):
            return try document(timeline, name, key)
        case .stored(let backup, let file): return try stored(backup, file)
        }
    }

    // MARK: segments

    private func sealed(
        _ listing: SegmentListing, _ next: SegmentListing?
    ) throws(TidemarkError) -> Outcome {
        var outcome = Outcome()
        // Damage is told once: for the chain the segment counts as its name claims.
        var link = ChainCheck.Link(
            key: listing.key, first: listing.range.first, reach: listing.range.last)
        do {
            let reader = try SegmentReader(context.store, listing.key)
            defer { reader.close() }
            guard let footer = reader.descriptor else {
                preconditionFailure("a sealed segment is opened with its footer")
            }
            link.sha256 = footer.sha256
            link.previousSHA256 = footer.previousSHA256
            link.lastCommit = footer.index.last?.latest
            if let what = listing.contradiction(footer, of: descriptor) {
                outcome.problems.append(damaged(listing.key, what))
            }
            if context.isDeep, let strange = try readThrough(reader, listing, next: next) {
                outcome.problems.append(strange)
            }
        } catch let error where error.code == .notFound {
            // Expired while we looked; if it was needed, the chain tells.
            return outcome
        } catch {
            outcome.problems.append(try context.problem(error, listing.key, of: source))
        }
        if context.isDeep { context.read(Int(listing.storedBytes)) }
        outcome.link = (listing.range.timeline, link)
        return outcome
    }

    private func open(_ listing: SegmentListing) throws(TidemarkError) -> Outcome {
        var outcome = Outcome()
        let range = listing.range
        do {
            let survey = try SegmentReader.survey(
                context.store, listing.key, first: range.first, bytes: range.length)
            context.read(Int(survey.end))
            if survey.resumesAt != nil {
                outcome.problems.append(torn(listing, at: survey.end))
            }
            outcome.link = (
                range.timeline,
                ChainCheck.Link(
                    key: listing.key, first: range.first,
                    reach: survey.reach(from: range.first),
                    lastCommit: survey.index.stretches.last?.latest)
            )
        } catch let error where error.code == .notFound {
            return try sealedMeanwhile(listing)
        } catch {
            outcome.problems.append(try context.problem(error, listing.key, of: source))
        }
        return outcome
    }

    /// No crash leaves whole frames behind a torn one.
    private func torn(_ listing: SegmentListing, at offset: UInt64) -> VerificationProblem {
        let timeline = listing.range.timeline
        let isLeft = current.map { $0 != timeline } ?? false
        return VerificationProblem(
            source: source, key: listing.key.path, kind: .damaged,
            what: "\(listing.key) is damaged at byte \(offset), and whole frames follow",
            remedy: isLeft
                ? "bring the file back from a copy of the archive: the source has left timeline "
                    + "\(timeline) and sends it no more; what lies before the damage restores with "
                    + "--timeline \(timeline)"
                : "start `tidemark run` anew, which asks the source for the rest, or bring the "
                    + "file back from a copy of the archive")
    }

    /// The sidecar may have sealed the open segment after the listing.
    private func sealedMeanwhile(_ listing: SegmentListing) throws(TidemarkError) -> Outcome {
        if listing.range.isEmpty { return try sealedMeanwhileAnywhere(listing) }
        let plain = String(listing.key.path.dropLast(Layout.partialSuffix.count))
        for compression in Compression.allCases {
            let key = ObjectKey(plain + compression.suffix)
            if let size = try context.store.size(key) {
                return try sealed(
                    SegmentListing(
                        range: listing.range, key: key, state: .sealed, storedBytes: size), nil)
            }
        }
        return Outcome()
    }

    /// The same where a name does not tell the end while the segment is open.
    private func sealedMeanwhileAnywhere(
        _ listing: SegmentListing
    ) throws(TidemarkError) -> Outcome {
        let now = try context.repository.stream(source, style)
        let sealed = (now.segments[listing.range.timeline] ?? []).first {
            $0.state == .sealed && $0.range.first == listing.range.first
        }
        return try sealed.map { (found) throws(TidemarkError) in try self.sealed(found, nil) }
            ?? Outcome()
    }

    // MARK: documents

    private func document(
        _ timeline: TimelineID, _ name: String, _ key: ObjectKey
    ) throws(TidemarkError) -> Outcome {
        do {
            let content = try TimelineDocument.read(context.store, key)
            return Outcome(document: (timeline, name, content))
        } catch {
            return Outcome(problems: [try context.problem(error, key, of: source)])
        }
    }

    func damaged(_ key: ObjectKey, _ what: String) -> VerificationProblem {
        VerificationProblem(
            source: source, key: key.path, kind: .damaged, what: "\(key) is damaged: \(what)",
            remedy: "restore this file from a copy of the archive")
    }
}
