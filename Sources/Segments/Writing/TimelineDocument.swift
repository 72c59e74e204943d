package import Model

/// A small document that belongs to a timeline, such as a Postgres history file; compressed.
package enum TimelineDocument {
    /// Longest document.
    package static let limit = 16 << 20

    /// Stores it, durable on return. The same content again does nothing, other content is
    /// `contentConflict`.
    package static func put(
        _ store: any ObjectStore, _ key: ObjectKey, _ bytes: [UInt8], _ compression: Compression
    ) throws(TidemarkError) {
        for known in Compression.allCases {
            let place = ObjectKey(key.path + known.suffix)
            guard try store.size(place) != nil else { continue }
            if try read(store, place) == bytes { return }
            throw TidemarkError(
                .contentConflict, "\(place) holds another document than the source sends now",
                remedy: "find out which server wrote it; archive the other under another name")
        }
        let encoded = Buffer(capacity: bytes.count + 1024)
        let encoder = compression.encoder()
        for start in stride(from: 0, to: bytes.count, by: FrameLimit.content) {
            let part = start..<min(start + FrameLimit.content, bytes.count)
            unsafe encoder.encode(bytes.span.bytes.extracting(part), into: encoded)
        }
        try store.put(ObjectKey(key.path + compression.suffix), encoded.array, .create)
    }

    /// Reads one whole, verified. `key` has its suffix. Throws `notFound`, `archiveDamaged`.
    package static func read(
        _ store: any ObjectStore, _ key: ObjectKey
    ) throws(TidemarkError) -> [UInt8] {
        guard let compression = Compression(suffixOf: key.name) else {
            throw Damage.error(key, at: 0, "its name tells no compression")
        }
        let object = try store.open(key, at: 0)
        defer { object.close() }
        let frames = FrameReader(key, compression) { (limit) throws(TidemarkError) in
            try object.read(limit)
        }
        var bytes: [UInt8] = []
        while let item = try frames.next() {
            if item == .content { bytes += frames.content.array }
            guard bytes.count <= limit else { throw Damage.error(key, at: 0, "it is too long") }
        }
        guard !frames.endsInsideFrame else {
            throw Damage.error(key, at: frames.boundary, "it ends inside a frame")
        }
        return bytes
    }
}
