import Model

extension ObjectStoreContract {
    static let objectChecks: [ObjectStoreContract] = [
        ObjectStoreContract("an object reads back as it was stored, from any offset") { store in
            let key = ObjectKey("a/b/c.json")
            let bytes = [UInt8]((0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            try store.put(key, bytes, .create)
            try expect(try store.size(key) == 1000, "its size is known")
            for (offset, step) in [(0, 1000), (0, 1), (0, 333), (999, 5), (1000, 5), (5000, 5)] {
                let read = try content(store, key, from: UInt64(offset), step: step)
                try expect(read == Array(bytes.dropFirst(offset)), "\(offset) by \(step)")
            }
            let reader = try store.open(key, at: 500)
            try expect(reader.size == 1000, "a reader knows the whole size")
            reader.close()
        },
        ObjectStoreContract("what does not exist has no size and cannot be opened") { store in
            let key = ObjectKey("no/such")
            try expect(try store.size(key) == nil, "size is nil")
            try expect(.notFound, "open") { _ = try store.open(key, at: 0) }
            try store.put(ObjectKey("file"), [1], .create)
            try expect(try store.size(ObjectKey("file/below")) == nil, "nothing below a file")
            try expect(.notFound, "open below") { _ = try store.open(ObjectKey("file/x"), at: 0) }
            try store.put(ObjectKey("folder/file"), [1], .create)
            try expect(try store.size(ObjectKey("folder")) == nil, "a folder is no object")
            try expect(.notFound, "open folder") { _ = try store.open(ObjectKey("folder"), at: 0) }
        },
        ObjectStoreContract("create accepts the same bytes again and refuses others") { store in
            let key = ObjectKey("x/point.json")
            try store.put(key, [1, 2, 3], .create)
            try store.put(key, [1, 2, 3], .create)
            for other: [UInt8] in [[1, 2, 4], [1, 2], [1, 2, 3, 4], []] {
                try expect(.contentConflict, "create") { try store.put(key, other, .create) }
            }
            try expect(try content(store, key) == [1, 2, 3], "the first one stands")
            try expect(try keys(store, "") == [key.path], "nothing else is left")
        },
        ObjectStoreContract("replace overwrites, with a longer and a shorter one") { store in
            let key = ObjectKey("watermark.json")
            for bytes: [UInt8] in [[1], [2, 2, 2], [3, 3], []] {
                try store.put(key, bytes, .replace)
                try expect(try content(store, key) == bytes, "the newest is read")
            }
        },
        ObjectStoreContract("an open reader goes on with the object it opened") { store in
            let key = ObjectKey("w/object")
            try store.put(key, [UInt8](repeating: 1, count: 100), .replace)
            let reader = try store.open(key, at: 0)
            defer { reader.close() }
            try expect(try reader.read(10) == [UInt8](repeating: 1, count: 10), "the beginning")
            try store.put(key, [UInt8](repeating: 2, count: 200), .replace)
            let rest = try reader.read(1000)
            try expect(rest == [UInt8](repeating: 1, count: 90), "the rest is of the same object")
        },
        ObjectStoreContract("an object of no bytes exists") { store in
            let key = ObjectKey("empty")
            try store.put(key, [], .create)
            try expect(try store.size(key) == 0, "size 0")
            try expect(try content(store, key).isEmpty, "reads empty")
            try expect(try store.list("") == [ObjectInfo(key: key, size: 0)], "is listed")
        },
        ObjectStoreContract("delete removes, and does nothing where there is nothing") { store in
            let key = ObjectKey("a/b")
            try store.put(key, [1], .create)
            try store.delete(key)
            try store.delete(key)
            try store.delete(ObjectKey("never/was"))
            try expect(try store.size(key) == nil, "it is gone")
            try store.put(key, [2], .create)
            try expect(try content(store, key) == [2], "and can be stored anew")
        },
        ObjectStoreContract("keys may hold any character but a slash") { store in
            let names = [
                "a b", "%41", "ü–漢", "'q\"", "star*?[x]", "-dash", "~", "a:b", "back\\slash",
                "tab\there", String(repeating: "n", count: 200), "..dots", "dot.", ".hidden",
            ]
            for name in names {
                let key = ObjectKey("odd/\(name)/\(name)")
                try store.put(key, Array(name.utf8), .create)
                try expect(try content(store, key) == Array(name.utf8), name)
                try expect(try keys(store, "odd/\(name)/") == [key.path], name)
            }
            try expect(try store.list("odd/").count == names.count, "all are listed")
        },
    ]

    static let writerChecks: [ObjectStoreContract] = [
        ObjectStoreContract("a large object appears whole when it is finished") { store in
            var random = SeededRandom(seed: 1)
            let block = random.bytes(1 << 20)
            let key = ObjectKey("base/1/base.tar.lz4")
            let writer = try store.create(key)
            // Pieces of odd sizes; 64 MiB and some bytes in all.
            var expected = 0
            while expected < 64 << 20 {
                let piece = Array(block.prefix([1 << 20, 777_777, 1, 4096][expected % 4]))
                try writer.write(piece)
                expected += piece.count
            }
            try expect(try store.size(key) == nil, "it does not exist before")
            try expect(try store.list("").isEmpty, "and is not listed")
            try writer.finish()
            try expect(try store.size(key) == UInt64(expected), "its size is right")
            try verify(store, key, block, expected)
        },
        ObjectStoreContract("objects of sizes around a block read back") { store in
            var random = SeededRandom(seed: 2)
            let bytes = random.bytes((2 << 20) + 10)
            for size in [0, 1, 4095, 4096, 4097, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20] {
                let key = ObjectKey("sizes/\(size)")
                let writer = try store.create(key)
                try writer.write(Array(bytes.prefix(size)))
                try writer.finish()
                try expect(try content(store, key) == Array(bytes.prefix(size)), "\(size)")
            }
        },
        ObjectStoreContract("an aborted or dropped object leaves nothing") { store in
            let key = ObjectKey("base/2/data")
            let writer = try store.create(key)
            try writer.write([UInt8](repeating: 1, count: 3 << 20))
            writer.abort()
            writer.abort()
            let dropped = try store.create(key)
            try dropped.write([1])
            try expect(try store.size(key) == nil, "nothing is there")
            try expect(try store.list("").isEmpty, "nothing is listed")
        },
        ObjectStoreContract("a finished object replaces an older one of its key") { store in
            let key = ObjectKey("base/3/data")
            for bytes: [UInt8] in [[1, 1, 1], [2]] {
                let writer = try store.create(key)
                try writer.write(bytes)
                try writer.finish()
                try expect(try content(store, key) == bytes, "the newest is read")
            }
        },
        ObjectStoreContract("a sweep spares what is finished and what is being written") { store in
            let writer = try store.create(ObjectKey("s/new"))
            try writer.write([1])
            try store.put(ObjectKey("s/old"), [2], .create)
            try store.sweep("", olderThan: -3600)
            try store.sweep("s/", olderThan: 0)
            try writer.finish()
            try expect(try keys(store, "") == ["s/new", "s/old"], "both are there")
        },
    ]

    /// Reads the 64 MiB object of the first check again, piece by piece.
    private static func verify(
        _ store: any ObjectStore, _ key: ObjectKey, _ block: [UInt8], _ total: Int
    ) throws {
        let reader = try store.open(key, at: 0)
        defer { reader.close() }
        var offset = 0
        while offset < total {
            let piece = Array(block.prefix([1 << 20, 777_777, 1, 4096][offset % 4]))
            var read: [UInt8] = []
            while read.count < piece.count {
                let more = try reader.read(piece.count - read.count)
                if more.isEmpty { break }
                read += more
            }
            try expect(read == piece, "the piece at \(offset) reads back")
            offset += piece.count
        }
        try expect(try reader.read(1).isEmpty, "nothing follows")
    }
}
