package import Model

/// Reads the frames of one file from front to back; memory is bounded by one frame.
package final class FrameReader {
    /// For messages.
    package let key: ObjectKey
    /// Where the item returned last ends in the file: everything before it is verified.
    package private(set) var boundary: UInt64
    private let decoder: any FrameDecoder
    private let isOpen: Bool
    /// Something that means nothing was passed over: in an open segment it is the end.
    private var hasSkipped = false
    private let read: (Int) throws(TidemarkError) -> [UInt8]
    private var input: [UInt8] = []
    private var taken = 0
    /// File offset of `input`'s first byte.
    private var inputStart: UInt64

    private static let readBytes = 256 << 10

    /// - Parameters:
    ///   - offset: Where in the file `read` starts.
    ///   - isOpen: The file is an open segment. No checksum of the whole tells there whether a
    ///     damaged note, or what was made one by a flipped bit, hides content; so nothing may
    ///     follow the zeros written ahead, and a note that is not right is damage.
    ///   - read: Up to so many further bytes of the file; empty at the end.
    package init(
        _ key: ObjectKey, _ compression: Compression, from offset: UInt64 = 0, isOpen: Bool = false,
        read: @escaping (Int) throws(TidemarkError) -> [UInt8]
    ) {
        self.key = key
        decoder = compression.decoder()
        self.isOpen = isOpen
        self.read = read
        boundary = offset
        inputStart = offset
    }

    /// Content of the frame returned last; valid until the next call.
    package var content: Buffer { decoder.content }

    /// Whether the file ended inside a frame; meaningful once `next` has returned nil.
    package var endsInsideFrame: Bool { !decoder.isAtBoundary }

    /// The next frame; nil at the end of the file. Throws `archiveDamaged` for one that is not
    /// right.
    package func next() throws(TidemarkError) -> FrameItem? {
        while true {
            if taken == input.count {
                inputStart += UInt64(input.count)
                input = try read(Self.readBytes)
                taken = 0
                if input.isEmpty { return nil }
            }
            let step: DecodedStep
            do {
                step = unsafe try decoder.decode(input.span.bytes.extracting(taken..<input.count))
            } catch {
                throw Damage.error(key, at: boundary, error.reason)
            }
            taken += step.consumed
            if let item = step.item, isOpen { try check(item) }
            if decoder.isAtBoundary {
                boundary = inputStart + UInt64(taken)
                if step.item == nil { hasSkipped = true }
            }
            if let item = step.item { return item }
        }
    }

    private func check(_ item: FrameItem) throws(TidemarkError) {
        if hasSkipped {
            throw Damage.error(key, at: boundary, "a frame follows what was written ahead")
        }
        if case .note(.history, let note) = item, !HistoryNote.isWhole(note) {
            throw Damage.error(key, at: boundary, "a note of commits is not right")
        }
    }
}

/// How damage is reported.
package enum Damage {
    package static func error(
        _ key: ObjectKey, at offset: UInt64, _ reason: String
    ) -> TidemarkError {
        TidemarkError(
            .archiveDamaged, "\(key) is damaged at byte \(offset): \(reason)",
            remedy: "restore this file from a copy of the archive")
    }
}
