import Crypto
import Model

/// A segment whose content is complete and durable in its open file, on its way to its final name.
///
/// A crash at any step leaves at least one whole durable copy: the open file goes away only by the
/// rename that makes it the sealed one, or after the sealed one is durable.
final class ClosedSegment: @unchecked Sendable {
    // @unchecked: one owner at a time, handed over under the sealer's queue lock.
    let descriptor: SegmentDescriptor
    private let file: OpenSegmentFile
    private let context: WriterContext
    /// The index tells the times less exactly than the notes between the frames do.
    private let needsNotes: Bool

    init(
        _ file: OpenSegmentFile, _ range: PositionRange, _ index: SegmentIndex, sha256: String,
        previous: String?, serverVersion: String, state: String?, _ context: WriterContext
    ) {
        self.file = file
        self.context = context
        needsNotes = index.isCoarse
        descriptor = SegmentDescriptor(
            source: context.source, kind: context.kind, range: range,
            firstCommit: index.firstCommit, lastCommit: index.lastCommit,
            bytes: file.contentBytes, sha256: sha256, previousSHA256: previous,
            serverVersion: serverVersion, state: state, index: index.stretches,
            restorePoints: index.restorePoints)
    }

    /// Gives the segment its final name; does nothing new when it is there with the same content.
    func seal(_ encoders: Encoders) throws(TidemarkError) {
        do {
            if try !isSealed() {
                if file.isWorthRewriting {
                    try rewrite(encoders)
                } else {
                    let footer = try SegmentFooter.encode(descriptor, file.compression)
                    try sealInPlace(footer)
                }
            }
        } catch {
            file.close()
            throw error
        }
        let key = context.sealedKey(descriptor.range, file.compression)
        context.options.sealed(descriptor, try context.store.size(key) ?? 0)
    }

    func close() { file.close() }

    private func sealInPlace(_ footer: [UInt8]) throws(TidemarkError) {
        do {
            try file.seal(footer, as: context.sealedKey(descriptor.range, file.compression))
        } catch let error where error.code == .contentConflict {
            // Somebody sealed it meanwhile; other frames may still hold the same content.
            guard try isSealed() else { throw error }
        }
    }

    /// Whether a sealed segment of this range exists. With the same content the open file is
    /// dropped; with other content that is a conflict.
    private func isSealed() throws(TidemarkError) -> Bool {
        for compression in Compression.allCases {
            let key = context.sealedKey(descriptor.range, compression)
            guard try context.store.size(key) != nil else { continue }
            let sealed = try SegmentReader(context.store, key)
            defer { sealed.close() }
            if sealed.descriptor?.sha256 != descriptor.sha256 {
                try sealed.requireSame(as: file, from: descriptor.first, context)
            }
            try file.discard()
            return true
        }
        return false
    }

    /// Writes the content anew in whole frames, beside the open file, which goes away last.
    private func rewrite(_ encoders: Encoders) throws(TidemarkError) {
        let key = context.sealedKey(descriptor.range, file.compression)
        let writer = try context.store.create(key)
        do {
            try copy(to: writer, encoders.encoder(file.compression))
            try context.options.failpoint(.rewriteWritten)
            try writer.finish()
        } catch {
            writer.abort()
            throw error
        }
        try context.options.failpoint(.rewriteFinished)
        try file.discard()
    }

    private func copy(
        to writer: any ObjectWriter, _ encoder: any FrameEncoder
    ) throws(TidemarkError) {
        let reader = file.reader()
        let content = Buffer(capacity: FrameLimit.content)
        let frame = Buffer(capacity: FrameLimit.content + (64 << 10))
        let scratch = Buffer(capacity: 1 << 10)
        var hash = SHA256()
        var notes = context.emptyIndex(from: descriptor.first)
        func flush() throws(TidemarkError) {
            guard !content.isEmpty else { return }
            hash.update(content)
            frame.removeAll()
            HistoryNote.encode(notes, scratch) { encoder.note(.history, $0, into: frame) }
            notes = context.emptyIndex(from: descriptor.first)
            try content.withBytes { (bytes) throws(TidemarkError) in
                encoder.encode(bytes, into: frame)
            }
            try writer.write(frame.array)
            content.removeAll()
        }
        var half = descriptor.bytes / 2
        while let item = try reader.next() {
            if needsNotes, case .note(.history, let note) = item {
                _ = HistoryNote.decode(note, into: &notes)
            }
            guard item == .content else { continue }
            var from = 0
            while from < reader.content.count {
                let part = min(reader.content.count - from, FrameLimit.content - content.count)
                reader.content.withBytes(from..<from + part) { (bytes) in
                    content.append(bytes)
                }
                from += part
                if content.count == FrameLimit.content { try flush() }
            }
            half = half > UInt64(reader.content.count) ? half - UInt64(reader.content.count) : 0
            if half == 0 {
                half = .max
                try context.options.failpoint(.rewriteBegun)
            }
        }
        try flush()
        // The same claim on two paths: what was hashed while it arrived, and what the file holds.
        guard hash.finalize().hex == descriptor.sha256 else {
            throw Damage.error(file.key, at: reader.boundary, "it does not hold what was written")
        }
        try writer.write(SegmentFooter.encode(descriptor, file.compression))
    }
}
