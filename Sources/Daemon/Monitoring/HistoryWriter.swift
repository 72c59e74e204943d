import Logging
import Model
import Monitoring
import Repository

/// The files of one source's history; used by one thread.
struct HistoryWriter {
    let source: SourceID
    private let repository: ArchiveRepository
    private let log: Logger
    /// The newest days as they are in the archive, by day.
    private var days: [Int64: [HistoryPoint]] = [:]
    /// Whether the files were read, and by the process that writes them.
    private var loadedAs: Bool?
    private var newestDay: Int64?
    private var message = ""

    init(_ source: SourceID, _ repository: ArchiveRepository, _ log: Logger) {
        self.source = source
        self.repository = repository
        self.log = log
    }

    /// Whether what is in the archive is known, by the one that adds to it or by one that looks.
    func isLoaded(isOurs: Bool) -> Bool { loadedAs == isOurs }

    /// Reads all files where that is needed: at first, and once more when this process takes the
    /// source over, for another one has written since. Nil when there is nothing new.
    mutating func load(today: Int64, isOurs: Bool) -> [HistoryPoint]? {
        guard loadedAs != isOurs else { return nil }
        do throws(TidemarkError) {
            var found: [HistoryPoint] = []
            days = [:]
            for day in try repository.historyDays(source)
            where day > today - HistoryKeeper.dayLimit {
                // Tomorrow may have begun for who wrote it; later days, for a clock that was wrong.
                guard day <= today + 1 else {
                    try setAsideFuture(day, isOurs: isOurs)
                    continue
                }
                let points = try read(day, isOurs: isOurs)
                if day >= today - 1 { days[day] = points }
                found += points
            }
            loadedAs = isOurs
            succeeded()
            return found
        } catch {
            failed(error)
            return nil
        }
    }

    private func setAsideFuture(_ day: Int64, isOurs: Bool) throws(TidemarkError) {
        guard isOurs else { return }
        let place = try repository.setAsideHistory(source, day: day)
        let why = "a day that has not come, from a clock that stood wrong; set aside as \(place)"
        log.warning("the history: \(why)", metadata: ["source": "\(source)"])
    }

    /// A damaged file is told, set aside by whoever writes, and none of it is believed.
    private func read(_ day: Int64, isOurs: Bool) throws(TidemarkError) -> [HistoryPoint] {
        do throws(TidemarkError) {
            return try repository.history(source, day: day)
        } catch let error where error.code == .archiveDamaged {
            guard isOurs else {
                log.warning("the history: \(error.message)", metadata: ["source": "\(source)"])
                return []
            }
            let place = try repository.setAsideHistory(source, day: day)
            log.error(
                "the history: \(error.message); it was set aside as \(place)",
                metadata: ["source": "\(source)"])
            return []
        }
    }

    /// Adds minutes to their days' files. Returns those that could not be written.
    mutating func write(_ points: [HistoryPoint], today: Int64) -> [HistoryPoint] {
        guard !points.isEmpty else { return [] }
        var left = points[...]
        do throws(TidemarkError) {
            while let day = left.first?.day {
                let count = left.prefix { $0.day == day }.count
                try write(Array(left.prefix(count)), into: day)
                left = left.dropFirst(count)
            }
            try expire(today)
            succeeded()
        } catch {
            failed(error)
        }
        return Array(left)
    }

    private mutating func write(
        _ points: [HistoryPoint], into day: Int64
    ) throws(TidemarkError) {
        if days[day] == nil { days[day] = try read(day, isOurs: true) }
        let known = days[day] ?? []
        var merged = Dictionary(uniqueKeysWithValues: known.map { ($0.minute, $0) })
        for point in points {
            if merged[point.minute] == nil {
                merged[point.minute] = point
            } else {
                merged[point.minute]?.merge(point)
            }
        }
        let sorted = merged.values.sorted { $0.minute < $1.minute }
        try repository.putHistory(source, day: day, sorted)
        days[day] = sorted
        days = days.filter { $0.key >= day - 1 }
    }

    /// What was raised and told when the last process ended; nil when it cannot be read now.
    mutating func loadAlerts() -> [AlertEvent: CommitTime]? {
        do throws(TidemarkError) {
            let known = try repository.alerts(source).compactMap { entry in
                AlertEvent(rawValue: entry.event).map { ($0, entry.since) }
            }
            return Dictionary(known) { min($0, $1) }
        } catch {
            failed(error)
            return nil
        }
    }

    /// Whether it is in the archive now.
    mutating func writeAlerts(_ raised: [AlertEvent: CommitTime]) -> Bool {
        do throws(TidemarkError) {
            try repository.putAlerts(
                source,
                raised.sorted { $0.value < $1.value }.map {
                    AlertRecord.Entry(event: $0.key.rawValue, since: $0.value)
                })
            return true
        } catch {
            failed(error)
            return false
        }
    }

    /// Once a day, what has become too old is removed.
    private mutating func expire(_ today: Int64) throws(TidemarkError) {
        guard newestDay != today else { return }
        try repository.expireHistory(source, before: today - HistoryKeeper.dayLimit + 1)
        newestDay = today
    }

    private mutating func succeeded() {
        if !message.isEmpty { log.info("the history is written again", metadata: place) }
        message = ""
    }

    private mutating func failed(_ error: TidemarkError) {
        guard error.message != message else { return }
        message = error.message
        log.warning("the history cannot be kept: \(error)", metadata: place)
    }

    private var place: Logger.Metadata { ["source": "\(source)"] }
}
