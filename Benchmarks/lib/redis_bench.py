"""What the benchmarks of Redis share: servers, a client, the sidecar beside a server."""

import atexit
import os
import socket
import subprocess

import bench

TICK = os.sysconf("SC_CLK_TCK")


class Redis:
    def __init__(self, scratch, name, *settings, loading=False):
        self.port = bench.free_port()
        self.folder = scratch.dir(name)
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder,
                 "--save", "", "--repl-diskless-sync-delay", "0", *settings]
        self.child = subprocess.Popen(
            bench.as_postgres(["redis-server", *words]), stdout=subprocess.DEVNULL)
        # A benchmark that gives up leaves nothing behind.
        atexit.register(self.child.kill)
        bench.wait_for("redis-server", 300 if loading else 20, lambda: self.answers())

    def answers(self):
        try:
            return self.ask("PING") == "PONG"
        except OSError:
            return False

    def ask(self, *words):
        with Client(self.port) as client:
            return client.ask(*words)

    def ask_wait(self):
        """How many replicas have a write of this moment."""
        with Client(self.port) as client:
            client.ask("SET", "last", "1")
            return client.ask("WAIT", "1", "1000")

    def stop(self):
        self.child.terminate()
        self.child.wait()

    def kill(self):
        self.child.kill()
        self.child.wait()


class Client:
    """A RESP client: one command, one answer."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @staticmethod
    def encode(*words):
        parts = [f"*{len(words)}\r\n".encode()]
        for word in words:
            word = str(word).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
        return b"".join(parts)

    def ask(self, *words):
        self.socket.sendall(self.encode(*words))
        return self.answer()

    def answer(self):
        line = self.file.readline().rstrip(b"\r\n").decode()
        if line.startswith("$"):
            return self.file.read(int(line[1:]) + 2)[:-2].decode()
        return line[1:]


def cpu(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def sidecar(scratch, source):
    archive = scratch.dir("archive")
    path = os.path.join(scratch.path, "redis.yml")
    with open(path, "w") as f:
        f.write(f"repository: {{ url: \"file://{archive}\" }}\n"
                f"sources:\n  bench: {{ url: \"redis://127.0.0.1:{source.port}\" }}\n"
                "backup: { schedule: \"0 0 29 2 *\" }\n")
    child = subprocess.Popen(
        bench.as_postgres([bench.tidemark_binary(), "--config", path, "run"]), stderr=subprocess.DEVNULL)
    atexit.register(child.kill)
    base = os.path.join(archive, "bench", "base")
    bench.wait_for("the first base backup", 60, lambda: os.path.isdir(base) and any(
        os.path.exists(os.path.join(base, name, "manifest.json")) for name in os.listdir(base)))
    return child


def attached(source):
    return "state=online" in source.ask("INFO", "replication")
