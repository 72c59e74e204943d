"""A MongoDB that has an oplog and nothing else: it answers what a sidecar asks while it tails, and
sends entries that were recorded from a real server as fast as they are asked for.

The answers are made before anybody asks; each holds the recorded entries again and again, with
rising timestamps. One thread per connection; the sending is the kernel's work.
"""

import datetime
import gzip
import os
import socket
import struct
import threading
import time

import bson
import bson.raw_bson
from bson.timestamp import Timestamp

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MESSAGE, QUERY, REPLY = 2013, 2004, 1
START = 1_795_000_000


def recorded(kinds=None, longest=4096):
    """The recorded entries of an ordinary size, and where each keeps its timestamp."""
    found = []
    for name in ("shop", "fuzzy"):
        with gzip.open(os.path.join(ROOT, "Fixtures", "mongodb", name, "oplog.bson.gz")) as f:
            data = f.read()
        offset = 0
        while offset < len(data):
            length, = struct.unpack_from("<i", data, offset)
            entry = data[offset:offset + length]
            offset += length
            decoded = bson.decode(entry)
            place = entry.find(b"\x11ts\0" + struct.pack("<II", decoded["ts"].inc, decoded["ts"].time))
            if length <= longest and place >= 0 and (kinds is None or decoded["op"] in kinds):
                found.append((entry, place + 4))
    return found


class Oplog:
    """Answers to getMore of about 16 MB, `total` bytes in all."""

    def __init__(self, total, kinds=None):
        sample = recorded(kinds)
        self.count, self.bytes = 0, 0
        self.answers = []
        self.first = None
        number = 0
        while self.bytes < total:
            parts, size = [], 0
            for index in range(100_000):
                entry, place = sample[number % len(sample)]
                # One second for every 20,000 entries.
                stamp = struct.pack("<II", number % 20_000 + 1, START + number // 20_000)
                entry = entry[:place] + stamp + entry[place + 8:]
                if self.first is None:
                    self.first = entry
                self.newest = Timestamp(START + number // 20_000, number % 20_000 + 1)
                key = b"\x03" + str(index).encode() + b"\0"
                parts += [key, entry]
                size += len(key) + len(entry)
                self.bytes += len(entry)
                number += 1
                if size >= 16_000_000:
                    break
            array = struct.pack("<i", size + 5) + b"".join(parts) + b"\0"
            self.answers.append(self.answer(array, "firstBatch" if not self.answers else "nextBatch"))
        self.count = number
        self.last = entry

    @staticmethod
    def answer(array, name):
        body = b"\x04" + name.encode() + b"\0" + array
        body += b"\x12id\0" + struct.pack("<q", 77) + b"\x02ns\0" + text("local.oplog.rs")
        cursor = struct.pack("<i", len(body) + 5) + body + b"\0"
        body = b"\x03cursor\0" + cursor + b"\x01ok\0" + struct.pack("<d", 1)
        return struct.pack("<i", len(body) + 5) + body + b"\0"


def text(value):
    return struct.pack("<i", len(value) + 1) + value.encode() + b"\0"


class Server:
    def __init__(self, oplog):
        self.oplog = oplog
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.url = f"mongodb://127.0.0.1:{self.port}/?replicaSet=rs0"
        # When the first and the last of the entries were sent.
        self.began = self.ended = None
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile("rb")
        sent = 0
        while head := stream.read(16):
            length, number, _, opcode = struct.unpack("<iiii", head)
            body = stream.read(length - 16)
            if opcode == QUERY:
                request = bson.decode(body[body.index(b"\0", 4) + 9:])
            else:
                size, = struct.unpack_from("<i", body, 5)
                request = bson.decode(body[5:5 + size])
            if "getMore" in request and request.get("collection") == "oplog.rs":
                if sent < len(self.oplog.answers):
                    answer = self.oplog.answers[sent]
                    sent += 1
                    self.ended = time.monotonic()
                else:
                    time.sleep(min(request.get("maxTimeMS", 1000), 1000) / 1000)
                    answer = bson.encode({"cursor": {"nextBatch": [], "id": bson.Int64(77),
                                                     "ns": "local.oplog.rs"}, "ok": 1.0})
            elif request.get("find") == "oplog.rs" and request.get("tailable"):
                self.began = time.monotonic()
                answer, sent = self.oplog.answers[0], 1
            else:
                answer = bson.encode(self.answer(request))
            if opcode == QUERY:
                body = struct.pack("<iqii", 8, 0, 0, 1)
            else:
                body = struct.pack("<iB", 0, 0)
            head = struct.pack("<iiii", len(answer) + len(body) + 16, 1, number,
                               REPLY if opcode == QUERY else MESSAGE)
            connection.sendall(head + body)
            connection.sendall(answer)

    def answer(self, request):
        name = next(iter(request))
        batch = lambda ns, found: {"cursor": {"firstBatch": found, "id": bson.Int64(0), "ns": ns}, "ok": 1.0}
        if name in ("isMaster", "ismaster", "hello"):
            return self.hello()
        if name == "buildInfo":
            return {"version": "4.4.4", "ok": 1.0}
        if name == "getParameter":
            return {"writePeriodicNoops": True, "ok": 1.0}
        if name == "replSetGetConfig":
            return {"config": self.configuration(), "ok": 1.0}
        if request.get("find") == "system.replset":
            return batch("local.system.replset", [self.configuration()])
        if request.get("find") == "oplog.rs":
            order = request.get("sort", {}).get("$natural", 1)
            entry = self.oplog.last if order < 0 and self.began else self.oplog.first
            return batch("local.oplog.rs", [bson.raw_bson.RawBSONDocument(entry)])
        if name in ("ping", "endSessions", "killCursors"):
            return {"ok": 1.0}
        return {"ok": 0.0, "errmsg": f"no such command: '{name}'", "code": 59, "codeName": "CommandNotFound"}

    @staticmethod
    def configuration():
        return {"_id": "rs0", "settings": {"replicaSetId": bson.ObjectId("0102030405060708090a0b0c")}}

    @property
    def newest(self):
        """A new archive begins at the end of the oplog; so everything is written once it has begun."""
        return self.oplog.newest if self.began else Timestamp(START, 1)

    def hello(self):
        me = f"127.0.0.1:{self.port}"
        stamp = self.newest
        newest = {"ts": stamp, "t": bson.Int64(1)}
        date = datetime.datetime.fromtimestamp(stamp.time, datetime.timezone.utc)
        return {
            "hosts": [me], "setName": "rs0", "setVersion": 1, "ismaster": True, "secondary": False,
            "me": me, "primary": me,
            "lastWrite": {"opTime": newest, "lastWriteDate": date, "majorityOpTime": newest,
                          "majorityWriteDate": date},
            "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000,
            "localTime": datetime.datetime.now(datetime.timezone.utc), "minWireVersion": 0,
            "maxWireVersion": 9, "readOnly": False, "ok": 1.0,
        }
