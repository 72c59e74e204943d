package import Model

// What is gathered on its way to the target: while one window is written the next is filled.
extension OplogReplay {
    /// Writes everything that is gathered, and says so to the target.
    package func flush() throws(TidemarkError) {
        try handOver()
        try settle()
    }

    /// Has the target write everything that is gathered; it goes on while more is.
    func handOver() throws(TidemarkError) {
        try flush(windows.keys.sorted())
        needsMark = false
        guard settled > marked, !isWritten else { return }
        var told = report
        told.reached = settled
        guard begun == nil else {
            begun?.mark = told
            return
        }
        try target.mark(told)
        marked = settled
    }

    /// Waits for what the target writes, and says so to it.
    func settle() throws(TidemarkError) {
        guard let done = begun else { return }
        begun = nil
        let misses = try live.awaitWrites()
        report.count(misses, areExpected: done.expectsMisses)
        if misses > 0, !done.expectsMisses { report.name(done.missable) }
        guard var told = done.mark else { return }
        told.count(misses, areExpected: done.expectsMisses)
        try live.mark(told)
        marked = told.reached
    }

    func discard(_ namespace: Namespace) {
        held -= windows.removeValue(forKey: namespace)?.bytes ?? 0
    }

    /// Before what cannot be done twice, and before what follows it, everything is written and the
    /// target knows how far that is: an interrupted replay then has at most this to do again, onto
    /// a target that may have it.
    func barrier() throws(TidemarkError) {
        try flush()
        needsMark = true
    }

    func flush(_ namespaces: [Namespace]) throws(TidemarkError) {
        var taken: [(Namespace, WriteWindow)] = []
        for namespace in namespaces {
            guard let window = windows.removeValue(forKey: namespace) else { continue }
            held -= window.bytes
            if namespace.collection == "system.views" {
                flushViews(window)
            } else {
                taken.append((namespace, window))
            }
        }
        guard !taken.isEmpty else { return }
        var questions: [Namespace: [BSONValue]] = [:]
        for (namespace, window) in taken {
            let wanted = window.wanted
            if !wanted.isEmpty { questions[namespace] = wanted }
        }
        let found = questions.isEmpty ? [:] : try target.documents(questions)
        var batches: [PlacedBatch] = []
        var misses = 0
        for (namespace, window) in taken {
            var (batch, more) = window.batch(found[namespace] ?? [])
            misses += more
            if more > 0 { name(window.absent(in: namespace, found[namespace] ?? [])) }
            let isCapped = catalog[namespace]?.isCapped == true
            // A capped target drops its oldest by itself, as the source did.
            if isCapped {
                for place in batch.deletions.indices { batch.deletions[place].mustExist = false }
                for place in batch.puts.indices { batch.puts[place].mustExist = false }
            }
            guard batch.count > 0 else { continue }
            report.written += UInt64(batch.count)
            batches.append(
                PlacedBatch(namespace: namespace, batch: batch, keepsOrder: isCapped))
        }
        // Where nothing was read, only here is waited for what was begun before.
        let target = try target
        count(misses: misses)
        guard !batches.isEmpty else { return }
        try target.announce(now)
        try target.begin(batches)
        begun = BegunWrites(
            expectsMisses: expectsMisses, missable: batches.compactMap(\.missable), mark: nil)
    }

    /// `_id` is the view's full name.
    private func flushViews(_ window: WriteWindow) {
        let old = window.wanted.compactMap { id in
            id.string.flatMap { Namespace($0) }.flatMap { name in
                catalog.views[name].map { BSONDocument([("_id", id)] + $0.pairs) }
            }
        }
        let (batch, _) = window.batch(old)
        for deletion in batch.deletions {
            if let name = deletion.id.string.flatMap({ Namespace($0) }) {
                catalog.setView(name, nil)
            }
        }
        for put in batch.puts {
            if let name = put.id.string.flatMap({ Namespace($0) }) {
                catalog.setView(name, put.document.without(["_id"]))
            }
        }
    }
}

extension BSONDocument {
    fileprivate var pairs: [(String, BSONValue)] { fields.map { ($0.name, $0.value) } }
}
