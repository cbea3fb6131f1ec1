"""The article's program and an echo server on asyncio, to stand beside ours.

    python3 asyncio_beside.py run  < lines      # `sleep 300ms` a line; outputs as they are ready
    python3 asyncio_beside.py echo              # says its address, echoes until it is killed

With `--uvloop` on uvloop (pip install uvloop).
"""

import asyncio
import sys


async def run():
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    tasks = set()

    async def process(number, line):
        word, _, duration = line.partition(" ")
        began = loop.time()
        if word != "sleep" or not duration.endswith("ms"):
            print(f"O{number} {line}: an error", flush=True)
            return
        await asyncio.sleep(int(duration[:-2]) / 1000)
        print(f"O{number} {line}: slept after {(loop.time() - began) * 1000:.0f} ms", flush=True)

    number = 0
    async for line in lines:
        number += 1
        line = line.decode().strip()
        print(f"I{number} {line}", flush=True)
        task = loop.create_task(process(number, line))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def echo():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    print("ready %s:%d" % server.sockets[0].getsockname(), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main = {"run": run, "echo": echo}[sys.argv[1]]()
    if "--uvloop" in sys.argv:
        import uvloop

        uvloop.run(main)
    else:
        asyncio.run(main)
