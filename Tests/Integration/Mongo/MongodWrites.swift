/// Phases of writes to a real mongod, as Python with pymongo, of what every version from 3.6 on can.
enum MongodWrites {
    /// What is there when the base backup is taken.
    static let before = """
        shop = client.shop
        shop.before.insert_many([{"_id": n, "list": [n]} for n in range(100)])
        shop.gone.insert_one({"_id": 1})
        client.other.kept.insert_one({"_id": 1})
        shop.stamped.insert_many([{"_id": n, "a": n, "b": Timestamp(0, 0)} for n in range(3)])
        shop.stamped.update_one({"_id": 1}, {"$set": {"a": Timestamp(0, 0), "b": Timestamp(0, 0)}})
        """

    /// All kinds of `_id`, of updates and of deletes.
    static let documents = """
        from bson.decimal128 import Decimal128
        from bson.objectid import ObjectId
        import datetime, uuid
        keys = [1, 2.5, Int64(1 << 40), "text", "", None, True, False, MinKey(), MaxKey(),
            ObjectId("0123456789abcdef01234567"), {"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 1},
            datetime.datetime(2020, 1, 2), Binary(b"raw"), Binary(uuid.UUID(int=7).bytes, 4),
            Decimal128("1.50"), Timestamp(5, 6), Code("f()"), float("inf"), float("nan")]
        one = client.shop.one
        for number, key in enumerate(keys):
            one.insert_one({"_id": key, "n": number, "o": {"2": "two"}, "list": [1, 2, 3]})
        changes = [{"$set": {"o.deep.er": 1}}, {"$unset": {"n": ""}}, {"$inc": {"n": 5}},
            {"$mul": {"n": 3}}, {"$rename": {"n": "m"}}, {"$set": {"list.7": "far"}},
            {"$set": {"o.2": "II"}}, {"$set": {"list.2": "third"}},
            {"$push": {"list": {"$each": [9, 8, 7], "$sort": 1, "$slice": -4}}},
            {"$pull": {"list": {"$gt": 7}}}, {"$addToSet": {"list": {"$each": [1, 42]}}},
            {"$pop": {"list": -1}}, {"$bit": {"n": {"or": 12}}}, {"$min": {"n": -4}},
            {"$max": {"n": 1e9}}, {"$currentDate": {"at": True}},
            {"$currentDate": {"at": {"$type": "timestamp"}}}]
        from pymongo.errors import WriteError
        refused = 0
        for number, key in enumerate(keys):
            for step in range(6):
                change = changes[(number * 5 + step) % len(changes)]
                try: one.update_one({"_id": key}, change)
                except WriteError: refused += 1
        assert refused < 60
        one.update_one({"list": 2}, {"$set": {"list.$": "found"}})
        one.update_many({}, {"$set": {"list.$[x]": "filtered"}}, array_filters=[{"x": {"$gt": 2}}])
        one.update_many({}, {"$set": {"all": [{"d": 1}, {"d": 2}]}})
        one.update_many({}, {"$inc": {"all.$[].d": 1}})
        one.replace_one({"_id": "text"}, {"whole": {"new": [None]}})
        one.update_one({"_id": "upserted"}, {"$set": {"a.b": 1}}, upsert=True)
        one.find_one_and_update({"_id": 1}, {"$set": {"fm": 1}})
        one.find_one_and_delete({"_id": False})
        one.delete_one({"_id": ""})
        client.shop.before.delete_many({"_id": {"$lt": 30}})
        client.shop.before.update_many({}, {"$push": {"list": {"$each": list(range(20))}}})
        one.bulk_write([pymongo.InsertOne({"_id": "b"}), pymongo.UpdateOne({"_id": "b"},
            {"$set": {"z": 1, "y": 2, "x": 3}}), pymongo.DeleteOne({"_id": "upserted"})])
        client.shop.mixed.insert_many([{"_id": n, "k": n % 7} for n in range(300)])
        # A server keeps an empty timestamp that an update sets, and no other.
        stamped = client.shop.stamped
        stamped.update_one({"_id": 2}, {"$set": {"b": Timestamp(0, 0)}})
        stamped.update_one({"_id": "new"}, {"$set": {"a": Timestamp(0, 0), "z": 1}}, upsert=True)
        assert stamped.count_documents({"b": Timestamp(0, 0)}) == 2
        """

    /// Collections, indexes, views; renames, and what writes collections anew.
    static let structure = """
        shop = client.shop
        shop.create_collection("checked", validator={"a": {"$gt": 0}}, validationAction="error")
        shop.checked.insert_one({"_id": 1, "a": 1})
        shop.command("collMod", "checked", validator={"a": {"$gt": 5}}, validationLevel="moderate")
        shop.create_collection("swiss", collation={"locale": "de", "strength": 2})
        shop.swiss.insert_many([{"_id": x} for x in ("Z", "ä", "b")])
        shop.create_collection("ring", capped=True, size=100000, max=40)
        shop.ring.insert_many([{"_id": n} for n in range(100)])
        shop.create_collection("later", viewOn="mixed", pipeline=[{"$match": {"k": 1}}])
        shop.create_collection("old", viewOn="mixed", pipeline=[])
        shop.command("collMod", "later", viewOn="mixed", pipeline=[{"$match": {"k": 2}}])
        shop.old.drop()
        mixed = shop.mixed
        mixed.create_index([("k", 1), ("_id", -1)])
        mixed.create_index("k", name="part", partialFilterExpression={"k": {"$gt": 3}})
        mixed.create_index("u", unique=True, sparse=True, background=True)
        mixed.create_index([("place", "2dsphere")])
        mixed.create_index([("words", "text")], default_language="german")
        mixed.create_index([("k", "hashed")])
        mixed.create_index("seen", expireAfterSeconds=100000)
        mixed.create_index("gone")
        mixed.drop_index("gone_1")
        shop.command("collMod", "mixed", index={"name": "seen_1", "expireAfterSeconds": 200000})
        mixed.insert_one({"_id": "t", "words": "zwei Wörter", "place": [1, 2], "u": 1})
        mixed.aggregate([{"$match": {"k": 3}}, {"$out": "fresh"}])
        mixed.aggregate([{"$match": {"k": 4}}, {"$out": "fresh"}])
        shop.command("mapReduce", "mixed", map=Code("function() { emit(this.k, 1) }"),
            reduce=Code("function(k, v) { return Array.sum(v) }"), out={"replace": "reduced"})
        shop.gone.drop()
        shop.gone.insert_one({"_id": "again"})
        shop.wide.insert_many([{"_id": n, "pad": "x" * 100} for n in range(50)])
        shop.wide.create_index("pad")
        shop.command("convertToCapped", "wide", size=100000)
        shop.command("cloneCollectionAsCapped", "mixed", toCollection="copied", size=1000000)
        shop.first.insert_one({"_id": 1})
        shop.second.insert_one({"_id": 2})
        shop.first.rename("second", dropTarget=True)
        shop.second.rename("third")
        shop.third.create_index("x")
        shop.third.insert_one({"_id": 3})
        client.admin.command("renameCollection", "shop.third", to="moved.away")
        client.moved.away.insert_one({"_id": 4})
        client.brief.x.insert_one({"_id": 1})
        client.admin.command("applyOps", [
            {"op": "i", "ns": "shop.mixed", "o": {"_id": "applied", "k": 1}},
            {"op": "u", "ns": "shop.mixed", "o2": {"_id": "applied"}, "o": {"_id": "applied", "x": 1}},
            {"op": "d", "ns": "shop.mixed", "o": {"_id": 5}},
            {"op": "c", "ns": "shop.$cmd", "o": {"create": "byApplyOps", "idIndex": {
                "v": 2, "key": {"_id": 1}, "name": "_id_", "ns": "shop.byApplyOps"}}}])
        shop.system.js.insert_one({"_id": "double", "value": Code("function(x) { return 2*x }")})
        client.drop_database("brief")
        client.brief.y.insert_one({"_id": 2})
        # Past a validator that refuses, and values that change places under a unique index.
        shop.create_collection("strict", validator={"a": {"$gt": 0}}, validationAction="error")
        past = dict(bypass_document_validation=True)
        shop.strict.insert_many([{"_id": n, "a": -n} for n in range(5)], **past)
        shop.strict.update_one({"_id": 3}, {"$set": {"b": 1}}, **past)
        shop.strict.replace_one({"_id": 4}, {"a": "none"}, **past)
        shop.ranks.create_index("rank", unique=True)
        shop.ranks.insert_many([{"_id": n, "rank": n} for n in range(20)])
        for n in range(0, 20, 2):
            shop.ranks.update_one({"_id": n}, {"$set": {"rank": -1}})
            shop.ranks.update_one({"_id": n + 1}, {"$set": {"rank": n}})
            shop.ranks.update_one({"_id": n}, {"$set": {"rank": n + 1}})
        """

    static let files = """
        import gridfs
        bucket = gridfs.GridFSBucket(client.files)
        kept = bucket.upload_from_stream("kept", b"k" * 700000)
        bucket.upload_from_stream("kept", b"l" * 300000)
        gone = bucket.upload_from_stream("gone", b"g" * 600000)
        bucket.delete(gone)
        bucket.rename(kept, "renamed")
        bucket.upload_from_stream("empty", b"")
        client.shop.command("dropIndexes", "mixed", index="part")
        """

    static let destruction = """
        client.drop_database("other")
        client.shop.one.delete_many({})
        client.shop.command("dropIndexes", "mixed", index="*")
        client.shop.later.drop()
        client.shop.before.drop()
        client.drop_database("files")
        """

    static let afterwards = """
        client.shop.one.insert_many([{"_id": n, "new": True} for n in range(100)])
        client.other.kept.insert_one({"_id": "new"})
        client.shop.mixed.update_many({}, {"$set": {"k": -1}})
        client.shop.mixed.create_index("k")
        client.shop.ring.insert_many([{"_id": n} for n in range(100, 130)])
        """
}
