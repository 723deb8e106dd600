"""Measure requests to the project's endpoints, compared with the same endpoints written by hand.

Run with `uv run python benchmarks/serving.py`. Each server is one process with a database of its own,
and runs the whole time. They take turns within a round. 100 connections send a request as soon as
they have received an answer. The result is the median of the rounds' ratios.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from ratios import ratio
from rendering import projects
from units import answers

VARIANTS = ["sqlite-async", "postgresql-async"]
WAYS = ("plain", "unit")
HERE = Path(__file__).parent

numbers = count()


class Round(NamedTuple):
    """The figures of one turn of one server."""

    rate: float  # requests per second
    median: float  # milliseconds
    p99: float


Figures = dict[str, dict[str, list[Round]]]  # by case and way


def main() -> None:
    """Print the table, or the figures as JSON."""
    options = parse()
    figures: dict[str, Figures] = {}
    sets = {variant: {**answers(variant), "http": True} for variant in options.only}
    for variant, project in projects(sets):
        for program in ("serving_inside.py", "units_inside.py"):
            shutil.copy(HERE / program, project)
        with serving(project) as ports:
            figures[variant] = asyncio.run(measure(ports, options))
    print(json.dumps(figures) if options.json else table(figures, options))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="at least 2")
    parser.add_argument("--seconds", type=float, default=3, help="duration of each turn")
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--json", action="store_true", help="print every round as JSON")
    return parser.parse_args()


@contextmanager
def serving(project: Path) -> Iterator[dict[str, int]]:
    """Start both servers; yield the port of each."""
    ports = {way: free_port() for way in WAYS}
    servers = [start(project, way, port) for way, port in ports.items()]
    try:
        for port in ports.values():
            wait_for(port)
        yield ports
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait()


def start(project: Path, way: str, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "serving_inside.py", way, str(port)],
        cwd=project,
        env=os.environ | {"PYTHONPATH": f"{project / 'src'}{os.pathsep}{project}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def wait_for(port: int, seconds: float = 60) -> None:
    """Wait until a server accepts connections on the port."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"the server on port {port} did not start")


async def measure(ports: dict[str, int], options: argparse.Namespace) -> Figures:
    """Measure in rounds. Servers alternate; round 0 is a warm-up and adds rows."""
    figures: Figures = {case: {way: [] for way in WAYS} for case in ("POST /tasks", "GET /tasks/1")}
    for case, ways in figures.items():
        for done in range(options.rounds + 1):
            for way in WAYS if done % 2 else reversed(WAYS):
                turn = await run_turn(ports[way], case, options)
                if done:
                    ways[way].append(turn)
            print(f"\r{case}: round {done} of {options.rounds}", end="", file=sys.stderr)
        print(file=sys.stderr)
    return figures


async def run_turn(port: int, case: str, options: argparse.Namespace) -> Round:
    """Send as many requests as the server answers in one turn."""
    took: list[float] = []
    begun = time.perf_counter()
    clients = (
        send_requests(port, case, begun + options.seconds, took) for _ in range(options.connections)
    )
    await asyncio.gather(*clients)
    seconds = time.perf_counter() - begun
    cuts = statistics.quantiles(took, n=100)
    return Round(len(took) / seconds, cuts[49] * 1000, cuts[98] * 1000)


async def send_requests(port: int, case: str, ends: float, took: list[float]) -> None:
    """Send one request after another on one connection; append the seconds of each to `took`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < ends:
        begun = time.perf_counter()
        writer.write(request(case))
        await read_answer(reader)
        took.append(time.perf_counter() - begun)
    writer.close()


def request(case: str) -> bytes:
    body = json.dumps({"title": f"task {next(numbers)}"}) if case.startswith("POST") else ""
    head = f"{case} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def read_answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if not head.startswith("http/1.1 2"):
        sys.exit(head)
    await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))


def table(figures: dict[str, Figures], options: argparse.Namespace) -> str:
    """Return a Markdown table."""
    lines = [
        f"{options.rounds} rounds of {options.seconds:g} s, {options.connections} connections, "
        "medians; ratios of requests per second, unit to plain (quartiles)\n",
        "| variant | case | plain, 1/s | unit, 1/s | ratio | p99 plain | p99 unit |",
        "|---|---|---|---|---|---|---|",
    ]
    for variant, cases in figures.items():
        lines += [f"| {variant} | {case} | {row(ways)} |" for case, ways in cases.items()]
    return "\n".join(lines)


def row(ways: dict[str, list[Round]]) -> str:
    plain, unit = ([Round(*turn) for turn in ways[way]] for way in WAYS)
    rates = [f"{statistics.median(turn.rate for turn in way):.0f}" for way in (plain, unit)]
    slow = [f"{statistics.median(turn.p99 for turn in way):.0f} ms" for way in (plain, unit)]
    faster = ratio((turn.rate for turn in unit), (turn.rate for turn in plain))
    return " | ".join([*rates, faster, *slow])


if __name__ == "__main__":
    main()
