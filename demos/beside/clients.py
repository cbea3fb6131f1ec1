"""Ten thousand clients of a server on this machine.

    python3 clients.py sleeps 127.0.0.1:8080 10000    # as many inputs in flight, over HTTP
    python3 clients.py idle PID 127.0.0.1:8080 10000  # as many silent connections, and their memory

`ulimit -n 20000` first, here and for the server; `serve --connections 20000 --silence 100s`.
"""

import random
import re
import resource
import selectors
import socket
import sys
import time


def sleeps(address, clients, hold=20):
    """Each sleeps until some moment ten seconds long, so that all are in flight at once."""
    random.seed(1)
    start, selector, waiting, answers = time.time(), selectors.DefaultSelector(), {}, []
    begun = 0
    while begun < clients or waiting:
        for _ in range(min(100, clients - begun)):
            due = start + hold + random.randint(0, 100) / 10
            body = b"sleep %dms\n" % max(1, (due - time.time()) * 1000)
            client = socket.create_connection(address)
            head = b"POST /inputs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
            client.sendall(head + b"content-length: %d\r\n\r\n" % len(body) + body)
            waiting[client] = b""
            selector.register(client, selectors.EVENT_READ)
            begun += 1
            if begun == clients:
                print(f"{clients} in flight after {time.time() - start:.1f} s", flush=True)
        for key, _ in selector.select(0 if begun < clients else 1):
            data = key.fileobj.recv(65536)
            waiting[key.fileobj] += data
            if not data:
                answers.append(waiting.pop(key.fileobj))
                selector.unregister(key.fileobj)
                key.fileobj.close()
    slept = sum(b'"kind":"slept"' in each and b'"undone":0' in each for each in answers)
    print(f"{slept} of {clients} answered")


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
    *words, at, clients = sys.argv[1:]
    host, port = at.rsplit(":", 1)
    address = (host, int(port))
    if words[0] == "sleeps":
        sleeps(address, int(clients))
    else:
        idle(words[1], address, int(clients))
