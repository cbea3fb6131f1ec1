"""Our loop beside Python's, and tokio's for the echo: what each needs for the same work.

    cargo build --release -p handrolled-demos --bin event-loop --example echo
    python3 table.py sleeps [ROUNDS]     # 10,000 lines `sleep 1ms` to `sleep 1000ms`
    python3 table.py echo [ROUNDS]       # 64 bytes over 64 connections, all on one core

Interleaved rounds, medians: processor time and memory are the servers' own. `uvloop` is left out
where it is not installed. CARGO_TARGET_DIR says where the programs are, if not in ../../target.
"""

import importlib.util
import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RELEASE = os.path.join(os.environ.get("CARGO_TARGET_DIR", f"{HERE}/../../target"), "release")
PYTHON = [sys.executable, f"{HERE}/asyncio_beside.py"]
LINES = 10_000
CONNECTIONS = 64
TRIPS = 400


def peers(ours, word):
    yield from ours
    yield "asyncio", [*PYTHON, word]
    if importlib.util.find_spec("uvloop"):
        yield "uvloop", [*PYTHON, word, "--uvloop"]


def sleeps(command):
    """Processor seconds, MB, seconds; all outputs are there, or it fails."""
    lines = "".join(f"sleep {1 + 7919 * i % 1000}ms\n" for i in range(LINES))
    with open("/tmp/sleeps", "w") as file:  # fed by a pipe: asyncio takes no file
        file.write(lines)
    began = time.monotonic()
    with open("/tmp/sleeps.out", "w+") as out:
        feed = subprocess.Popen(["cat", "/tmp/sleeps"], stdout=subprocess.PIPE)
        child = subprocess.Popen(command, stdin=feed.stdout, stdout=out, stderr=subprocess.DEVNULL)
        feed.stdout.close()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - began
        feed.wait()
        out.seek(0)
        outputs = [int(m[1]) for line in out if (m := re.match(r"O(\d+) ", line))]
    assert child.returncode == 0 and sorted(outputs) == list(range(1, LINES + 1)), command
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, took


def cpu(pid):
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1000


def echo(command):
    """Microseconds of processor time a message."""
    server = subprocess.Popen(["taskset", "-c", "0", *command], stdout=subprocess.PIPE, text=True)
    host, port = server.stdout.readline().split()[-1].rsplit(":", 1)
    selector = selectors.DefaultSelector()
    clients = [socket.create_connection((host, int(port))) for _ in range(CONNECTIONS)]
    for client in clients:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(client, selectors.EVENT_READ)

    def trip():
        for client in clients:
            client.sendall(b"x" * 64)
        waits = len(clients)
        while waits:
            for key, _ in selector.select():
                assert key.fileobj.recv(64) == b"x" * 64
                waits -= 1

    for _ in range(20):
        trip()
    before = cpu(server.pid)
    for _ in range(TRIPS):
        trip()
    used = cpu(server.pid) - before
    server.kill()
    server.wait()
    return (used / (TRIPS * CONNECTIONS),)


if __name__ == "__main__":
    what = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    if what == "sleeps":
        measure, names = sleeps, ["processor s", "MB", "s in all"]
        contenders = dict(peers([("ours", [f"{RELEASE}/event-loop", "run"])], "run"))
    else:
        os.sched_setaffinity(0, {0})
        measure, names = echo, ["us a message"]
        echoes = [(on, [f"{RELEASE}/examples/echo", on]) for on in ("ours", "tokio")]
        contenders = dict(peers(echoes, "echo"))
    figures = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, command in contenders.items():
            figures[name].append(measure(command))
    for name, rows in figures.items():
        columns = zip(names, zip(*rows))
        shown = [f"{statistics.median(c):.2f} {unit} [{min(c):.2f}-{max(c):.2f}]" for unit, c in columns]
        print(f"{name:8}", " | ".join(shown))
