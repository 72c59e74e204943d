import Model
import Platform

extension ObjectStoreContract {
    static let listingChecks: [ObjectStoreContract] = [
        ObjectStoreContract("a listing is in the order of keys and has the sizes") { store in
            let names = ["b/2", "a-b", "a/c", "a/b/1", "b/10", "a/b-c", "a.b", "b/1", "B", "a/b0"]
            for (index, name) in names.enumerated() {
                try store.put(ObjectKey(name), [UInt8](repeating: 0, count: index), .create)
            }
            let listed = try store.list("")
            let sorted = names.map { ObjectKey($0) }.sorted()
            try expect(listed.map(\.key) == sorted, "\(listed.map(\.key))")
            for info in listed {
                let index = names.firstIndex(of: info.key.path)
                try expect(info.size == UInt64(index ?? -1), "size of \(info.key)")
            }
        },
        ObjectStoreContract("a prefix may end anywhere in a key") { store in
            for name in ["s/wal/1/A1", "s/wal/1/A2", "s/wal/10/A1", "s/wal2/x", "t/y"] {
                try store.put(ObjectKey(name), [], .create)
            }
            let expected: [(String, [String])] = [
                ("s/wal/1/", ["s/wal/1/A1", "s/wal/1/A2"]),
                ("s/wal/1", ["s/wal/1/A1", "s/wal/1/A2", "s/wal/10/A1"]),
                ("s/wal/1/A2", ["s/wal/1/A2"]), ("s/wal/1/A", ["s/wal/1/A1", "s/wal/1/A2"]),
                ("s/wal", ["s/wal/1/A1", "s/wal/1/A2", "s/wal/10/A1", "s/wal2/x"]),
                ("t", ["t/y"]), ("u/", []), ("s/wal/1/A1/", []), ("t/y/z", []), ("none", []),
            ]
            for (prefix, keys) in expected {
                let found = try Self.keys(store, prefix)
                try expect(found == keys, "\(prefix): \(found)")
            }
        },
        ObjectStoreContract("folders are named one level deep") { store in
            for name in ["b/x/1", "b/y/z/2", "a/1", "a/.hidden", "c", "b/3", "ba/4"] {
                try store.put(ObjectKey(name), [], .create)
            }
            let expected: [(String, [String])] = [
                ("", ["a", "b", "ba"]), ("b/", ["x", "y"]), ("a/", []), ("none/", []),
                ("b/y/", ["z"]),
            ]
            for (prefix, names) in expected {
                let found = try store.folders(prefix)
                try expect(found == names, "\(prefix): \(found)")
            }
        },
    ]

    static let concurrencyChecks: [ObjectStoreContract] = [
        ObjectStoreContract("many threads may use the store at once") { store in
            let workers = (0..<8).map { worker in
                DedicatedThread("worker") { () throws(TidemarkError) in
                    for number in 0..<25 {
                        let key = ObjectKey("shared/\(worker)/\(number)")
                        try store.put(key, [UInt8(worker), UInt8(number)], .create)
                        try store.put(ObjectKey("hot"), [UInt8(worker)], .replace)
                        _ = try store.list("shared/")
                        if number % 2 == 1 { try store.delete(key) }
                    }
                }
            }
            for worker in workers { try worker.join() }
            try expect(try store.list("shared/").count == 8 * 13, "the even ones are there")
            try expect(try content(store, ObjectKey("hot")).count == 1, "one of them won")
        },
        ObjectStoreContract("of many creators of one key with different bytes one wins") { store in
            let key = ObjectKey("race/for/it")
            let workers = (0..<8).map { worker in
                DedicatedThread("worker") { () throws(TidemarkError) -> Bool in
                    do throws(TidemarkError) {
                        try store.put(key, [UInt8(worker)], .create)
                        return true
                    } catch let error where error.code == .contentConflict {
                        return false
                    }
                }
            }
            var winners: [Int] = []
            for (index, worker) in workers.enumerated() where try worker.join() {
                winners.append(index)
            }
            try expect(winners.count == 1, "winners: \(winners)")
            try expect(try content(store, key) == [UInt8(winners[0])], "and its bytes stand")
            try expect(try keys(store, "") == [key.path], "the losers leave nothing")
        },
        ObjectStoreContract("readers see the old or the new bytes, never a mixture") { store in
            let key = ObjectKey("mixed")
            let size = 200_000
            try store.put(key, [UInt8](repeating: 0, count: size), .replace)
            let writer = DedicatedThread("writer") { () throws(TidemarkError) in
                for number in 1...20 {
                    let bytes = [UInt8](repeating: UInt8(number), count: size)
                    try store.put(key, bytes, .replace)
                }
            }
            var last: UInt8 = 0
            while last < 20 {
                let bytes = try content(store, key, step: 7777)
                let first = bytes.first ?? 0
                try expect(bytes == [UInt8](repeating: first, count: size), "one state is read")
                try expect(first >= last, "and never an older one than before")
                last = first
            }
            try writer.join()
        },
    ]
}
