import Model

extension ObjectStoreContract {
    /// A check that passes at once where the store cannot append.
    private static func appending(
        _ sentence: String,
        _ run: @escaping @Sendable (any ObjectStore, any AppendingStore) throws -> Void
    ) -> ObjectStoreContract {
        ObjectStoreContract(sentence) { store in
            if let appending = store.appending { try run(store, appending) }
        }
    }

    static func write(
        _ file: any AppendableFile, at offset: UInt64, _ bytes: [UInt8]
    ) throws(TidemarkError) {
        try file.write(at: offset, bytes.span.bytes)
    }

    static let appendingChecks: [ObjectStoreContract] = [
        appending("a file grows, is synced, cut and sealed under its name") { store, appending in
            let (open, final) = (ObjectKey("s/wal/1/A.partial"), ObjectKey("s/wal/1/A.lz4"))
            let file = try appending.openAppendable(open)
            try expect(file.size == 0, "a new one is empty")
            try expect(try keys(store, "s/") == [open.path], "and is listed")
            file.reserve(1 << 20)
            try write(file, at: 0, [1, 2, 3])
            try write(file, at: 3, [4, 5])
            try write(file, at: 1, [9])
            try file.sync()
            try expect(file.size == 5, "reserving does not change the size")
            try expect(try file.read(at: 0, 100) == [1, 9, 3, 4, 5], "it reads what was written")
            try expect(try file.read(at: 4, 100) == [5], "from the middle")
            try expect(try file.read(at: 5, 100).isEmpty, "nothing behind the end")
            try expect(try content(store, open) == [1, 9, 3, 4, 5], "others may read it")
            try file.truncate(4)
            try file.seal(as: final)
            try expect(try keys(store, "") == [final.path], "only the final name is left")
            try expect(try content(store, final) == [1, 9, 3, 4], "with its content")
        },
        appending("an open file is found again with its bytes") { store, appending in
            let key = ObjectKey("o/A.partial")
            var file = try appending.openAppendable(key)
            try write(file, at: 0, [UInt8](repeating: 7, count: 3_000_000))
            try file.sync()
            file.close()
            file.close()
            file = try appending.openAppendable(key)
            try expect(file.size == 3_000_000, "size")
            try expect(try file.read(at: 2_999_999, 9) == [7], "last byte")
            try write(file, at: 5_000_000, [1])
            try expect(try file.read(at: 4_000_000, 1) == [0], "a hole reads as zero")
            try expect(try store.size(key) == 5_000_001, "the store tells the size")
            file.close()
        },
        appending("only one may hold a file") { _, appending in
            let key = ObjectKey("o/A.partial")
            let file = try appending.openAppendable(key)
            try expect(.failed, "the second opening") { _ = try appending.openAppendable(key) }
            try write(file, at: 0, [1])
            let other = try appending.openAppendable(ObjectKey("o/B.partial"))
            other.close()
            file.close()
            let again = try appending.openAppendable(key)
            try expect(again.size == 1, "after closing it may be opened again")
            again.close()
        },
        appending("sealing onto the same bytes drops the file") { store, appending in
            let (open, final) = (ObjectKey("s/A.partial"), ObjectKey("s/A.lz4"))
            let bytes = SeededRandom.sample(2_500_000)
            try store.put(final, bytes, .create)
            let file = try appending.openAppendable(open)
            try write(file, at: 0, bytes)
            try file.seal(as: final)
            try expect(try keys(store, "") == [final.path], "one is left")
            try expect(try content(store, final) == bytes, "as it was")
        },
        appending("sealing onto other bytes is a conflict and changes nothing") {
            store, appending in
            let (open, final) = (ObjectKey("s/A.partial"), ObjectKey("s/A.lz4"))
            let bytes = SeededRandom.sample(2_500_000)
            try store.put(final, bytes, .create)
            for change in [0, 1_048_576, 2_499_999] {
                var other = bytes
                other[change] ^= 1
                try conflict(appending, open, final, other)
            }
            try conflict(appending, open, final, Array(bytes.dropLast()))
            try conflict(appending, open, final, bytes + [0])
            try expect(try content(store, final) == bytes, "the target is as it was")
            try expect(try keys(store, "") == [final.path, open.path], "both are there")
        },
        appending("a discarded file is gone") { store, appending in
            let key = ObjectKey("s/A.partial")
            let file = try appending.openAppendable(key)
            try write(file, at: 0, [1])
            try file.discard()
            try expect(try store.list("").isEmpty, "nothing is left")
            let again = try appending.openAppendable(key)
            try expect(again.size == 0, "it starts anew")
            try again.discard()
        },
        appending("a sealed file may be followed by a new one of its name") { store, appending in
            let open = ObjectKey("s/open.partial")
            for number in 0..<3 {
                let file = try appending.openAppendable(open)
                try expect(file.size == 0, "each starts empty")
                try write(file, at: 0, [UInt8(number)])
                try file.seal(as: ObjectKey("s/sealed/\(number)"))
            }
            try expect(try store.list("s/").count == 3, "three are sealed")
        },
    ]

    private static func conflict(
        _ appending: any AppendingStore, _ open: ObjectKey, _ final: ObjectKey, _ bytes: [UInt8]
    ) throws {
        let file = try appending.openAppendable(open)
        try file.truncate(0)
        try write(file, at: 0, bytes)
        try expect(.contentConflict, "sealing") { try file.seal(as: final) }
        file.close()
    }
}

extension SeededRandom {
    /// The same bytes every time.
    static func sample(_ count: Int) -> [UInt8] {
        var random = SeededRandom(seed: 20_261_122)
        return random.bytes(count)
    }
}
