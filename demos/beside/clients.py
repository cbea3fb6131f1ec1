"""Ten thousand clients of a server on this machine.

    python3 clients.py sleeps 127.0.0.1:8080 10000    # as many inputs in flight, over HTTP
    event-loop trace RECORDING --json | python3 clients.py order  # in which order they were answered
    python3 clients.py idle PID 127.0.0.1:8080 10000  # as many silent connections, and their memory

`ulimit -n 20000` first, here and for the server; `serve --connections 20000 --silence 100s`
(and `--record RECORDING --record-limit 1GiB`).
"""

import json
import math
import random
import re
import resource
import selectors
import socket
import sys
import time


def sleeps(address, clients, hold=20):
    """Each sleeps until some moment of ten seconds, so that all are in flight at once."""
    random.seed(1)
    start, selector, due, heard, answers = time.time(), selectors.DefaultSelector(), {}, {}, []
    begun = 0
    while begun < clients or heard:
        for _ in range(min(100, clients - begun)):
            client = socket.create_connection(address)
            due[client] = start + hold + random.uniform(0, 10)
            # Rounded up: an answer before the moment is one that came early.
            body = b"sleep %dms\n" % max(1, math.ceil((due[client] - time.time()) * 1000))
            head = b"POST /inputs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
            client.sendall(head + b"content-length: %d\r\n\r\n" % len(body) + body)
            heard[client] = b""
            selector.register(client, selectors.EVENT_READ)
            begun += 1
            if begun == clients:
                print(f"{clients} in flight after {time.time() - start:.1f} s", flush=True)
        for key, _ in selector.select(0 if begun < clients else 1):
            client, data = key.fileobj, key.fileobj.recv(65536)
            heard[client] += data
            if b'"kind":"slept"' in heard[client] and client in due:
                answers.append((due.pop(client), time.time()))
            if not data:
                whole = heard.pop(client)
                if client in due or b'"undone":0' not in whole:
                    print("not answered:", whole)
                selector.unregister(client)
                client.close()
    tell_lateness(answers, clients)


def tell_lateness(answers, clients):
    late = sorted(arrived - due for due, arrived in answers)
    print(f"{len(answers)} of {clients} answered, {sum(each < 0 for each in late)} early")
    parts = [("half", 0.5), ("99%", 0.99), ("the last", 1)]
    shown = [f"{name} {late[int(part * (len(late) - 1))] * 1000:.1f}" for name, part in parts]
    print("late by (ms), both programs together: " + ", ".join(shown))


def order(events):
    """The order of outputs by the server's own record: a client only knows when it got to read."""
    sleeping, due, latest, overtaken, late = {}, {}, 0, [], []
    for event in map(json.loads, events):
        what = event.get("e")
        if what == "input":
            sleeping[event["task"]] = event
        elif what == "timer" and event.get("task") in sleeping:
            taken = sleeping.pop(event["task"])  # its first timer is its sleep
            due[taken["n"]] = event["due"]
        elif what == "output" and event["n"] in due:
            mine = due[event["n"]]
            latest = max(latest, mine)
            overtaken.append((latest - mine) / 1e6)
            late.append((event["t"] - mine) / 1e6)
    late.sort()
    print(f"{len(late)} outputs, {sum(each < 0 for each in late)} early")
    print(f"late by (ms): half {late[len(late) // 2]:.3f}, the last {late[-1]:.3f}")
    print(f"overtaken by one that was due later: {sum(each > 0 for each in overtaken)}")
    print(f"by so much at most (ms): {max(overtaken):.3f}")


def idle(pid, address, clients):
    """Each asks once and stays; later each asks again."""

    def memory():
        with open(f"/proc/{pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) * 1024

    def ask(client):
        client.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        while not client.recv(4096).endswith((b"ok\n", b"World!")):
            pass

    before, held = memory(), []
    for _ in range(clients):
        held.append(socket.create_connection(address))
        ask(held[-1])
    time.sleep(1)
    print(f"{(memory() - before) / clients:.0f} bytes a connection")
    for client in held:
        ask(client)
    print("all asked again")


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if sys.argv[1] == "order":
        order(sys.stdin)
        sys.exit()
    *words, at, clients = sys.argv[1:]
    host, port = at.rsplit(":", 1)
    address = (host, int(port))
    if words[0] == "sleeps":
        sleeps(address, int(clients))
    else:
        idle(words[1], address, int(clients))
