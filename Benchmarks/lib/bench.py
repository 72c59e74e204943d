"""What the benchmarks share: a scratch Postgres, processes with their CPU time, medians."""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BIN = "/usr/lib/postgresql/15/bin"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def log(text):
    print(text, file=sys.stderr, flush=True)


def tidemark_binary():
    """The release build; made when missing."""
    path = os.path.join(ROOT, ".build", "release", "tidemark")
    if not os.path.exists(path):
        subprocess.run(
            ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", "tidemark"],
            cwd=ROOT, check=True, stdout=sys.stderr)
    return path


def as_postgres(command):
    """Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] + command


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, seconds, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"gave up after {seconds} s waiting for {what}")
        time.sleep(0.01)


class Scratch:
    """A directory that postgres may use; removed at the end."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="tidemark-bench-", dir=os.environ.get("TMPDIR", "/tmp"))
        if os.geteuid() == 0:
            shutil.chown(self.path, "postgres", "postgres")
        os.chmod(self.path, 0o755)

    def dir(self, name):
        path = os.path.join(self.path, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")
        return path

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Postgres:
    def __init__(self, scratch, settings=()):
        self.data = scratch.dir("data")
        self.sockets = scratch.path
        self.port = free_port()
        self.log = os.path.join(scratch.path, "postgres.log")
        subprocess.run(
            as_postgres([f"{BIN}/initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-k", "-N"]),
            check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(self.data, "postgresql.conf"), "a") as f:
            f.write(
                f"port={self.port}\nlisten_addresses='127.0.0.1'\n"
                f"unix_socket_directories='{self.sockets}'\nmax_replication_slots=40\n"
                "max_wal_senders=40\nshared_buffers=256MB\nwal_keep_size='64GB'\n"
                "max_wal_size='16GB'\ncheckpoint_timeout='1h'\nsynchronous_commit=local\n"
                + "".join(f"{line}\n" for line in settings))
        self.start()

    def start(self):
        subprocess.run(
            as_postgres([f"{BIN}/pg_ctl", "-D", self.data, "-l", self.log, "-w", "start"]),
            check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        subprocess.run(
            as_postgres([f"{BIN}/pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop"]),
            stdout=subprocess.DEVNULL)

    def url(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def sql(self, text):
        done = subprocess.run(
            ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url(), "-c", text],
            check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def pgbench(self, *arguments):
        done = subprocess.run(
            [f"{BIN}/pgbench", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres",
             *arguments, "postgres"], check=True, capture_output=True, text=True)
        return done.stdout


def lsn(text):
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


class Process:
    """A child whose CPU seconds and peak memory are read at its end."""

    def __init__(self, command, **options):
        self.started = time.monotonic()
        self.child = subprocess.Popen(
            as_postgres(command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)

    def peak(self):
        """The most memory that was resident, in MB. What wait4 tells counts the parent's, too."""
        with open(f"/proc/{self.child.pid}/status") as f:
            return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))

    def finish(self, sign=None, seconds=600):
        """Ends the child; returns (wall, cpu, peak RSS in MB, standard error)."""
        if sign is not None:
            self.child.send_signal(sign)
        errors = self.child.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(self.child.pid, 0)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - self.started
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, errors


def floor(path):
    """CPU seconds of what the archive's format asks of every byte, by the standard tools: the content's
    SHA-256, and an LZ4 frame with its content checksum at the acceleration that Tidemark uses."""
    spent = []
    for command in (["openssl", "dgst", "-sha256", path], ["lz4", "-q", "--fast=8", "-c", path]):
        _, cpu, _, errors = Process(command).finish()
        if errors:
            raise SystemExit(f"{command[0]} said: {errors}")
        spent.append(cpu)
    return spent


def median(values):
    return statistics.median(values)


SIGTERM, SIGINT, SIGKILL = signal.SIGTERM, signal.SIGINT, signal.SIGKILL
