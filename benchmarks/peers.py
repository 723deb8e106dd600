"""Compare a generated project with plain SQLAlchemy, the bare drivers and other libraries.

Run with `uv run python benchmarks/peers.py`. Each database and mode is measured in processes of its
own, in environments that uv creates. In each round, every way does the same work on the same table.
The result is the median of the rounds' ratios to the bare ORM. `--write docs/explanation` writes the
tables, and a chart of each case, into `docs/explanation/performance.md`.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from peers_inside.cases import CASES
from peers_page import (
    BASE,
    BASE_OF_2_0,
    BIND_MANAGER,
    DRIVER,
    OURS,
    Figures,
    Report,
    charts,
    tables,
    write_page,
)
from rendering import earlier, projects, render
from sqlalchemy import make_url
from units import VARIANTS, answers, as_sync

HERE = Path(__file__).parent
UV = os.environ.get("UV", "uv")

# Other packages have the newest version that these allow.
DRIVERS = ("aiosqlite==0.22.1", "asyncpg==0.32.0", "psycopg[binary,pool]==3.3.9")
PROJECT = ("alembic==1.20.1", "anyio==4.16.0", "pydantic-settings==2.16.3")
DRAWING = ("matplotlib==3.11.2",)


class Environment(NamedTuple):
    """Packages, and the ways that are measured with them: name and class."""

    packages: tuple[str, ...]
    ways: dict[str, str]


ENVIRONMENTS = (
    Environment(
        (
            "sqlalchemy[asyncio]==2.1.9",
            "advanced-alchemy==1.12.0",
            "fastcrud==0.23.0",
            *DRIVERS,
            *PROJECT,
        ),
        {
            DRIVER: "{module}:Way",
            "SQLAlchemy Core": "core:Way",
            BASE: "orm:Way",
            "bare ORM, for many rows": "orm:Tuned",
            OURS: "ours:Way",
            "advanced-alchemy, repository": "advanced:Repository",
            "advanced-alchemy, auto_refresh=False": "advanced:Unrefreshed",
            "advanced-alchemy, service": "advanced:Service",
            "fastcrud": "fast_crud:Way",
        },
    ),
    Environment(
        ("sqlalchemy[asyncio]==2.0.58", "sqlalchemy-bind-manager==0.15.0", *DRIVERS),
        {
            BASE_OF_2_0: "orm:Way",
            BIND_MANAGER: "bind_manager:Way",
        },
    ),
)
EARLIER = "earlier"  # the package of a project of an earlier release
ASYNC_ONLY = {"fastcrud"}
DRIVER_OF = {  # the driver, and the module that uses it directly
    "sqlite-async": ("aiosqlite", "driver_sqlite"),
    "sqlite-sync": ("pysqlite", "driver_sqlite"),
    "postgresql-async": ("asyncpg", "driver_asyncpg"),
    "postgresql-sync": ("psycopg", "driver_psycopg"),
}
MORE_AS_SYNC = {
    r"(?m)^import asyncio$": "import threading",
    r"await asyncio\.gather\(\*map\((.*)\)\)": r"in_threads(\1)",
    r"\basyncio\.Lock\b": "threading.Lock",
    r"\baiosqlite\b": "sqlite3",
    r"\b(session|connection)\.stream\b": r"\1.execute",
    r"\bsession\.stream_scalars\b": "session.scalars",
    r"\b__aenter__\b": "__enter__",
    r"\brepository\.SQLAlchemyAsync": "repository.SQLAlchemy",
    r"\brepository\.Async": "repository.",
    r"\bSQLAlchemyAsync": "SQLAlchemySync",
    r"\basync_engine=True": "async_engine=False",
}


def main() -> None:
    """Print the tables, or write them into the documentation."""
    options = parse()
    report = Report(**json.loads(options.read.read_text())) if options.read else run(options)
    if options.json:
        options.json.write_text(json.dumps(report._asdict()))
    if options.write:
        write_page(report, options.write / "performance.md")
        draw(report, options.write / "performance")
    else:
        print(tables(report))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="at least 2")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--database", nargs="+", choices=["sqlite", "postgresql"])
    parser.add_argument("--mode", nargs="+", choices=["async", "sync"])
    parser.add_argument(
        "--against", metavar="VERSION", help="also measure the project of this release"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write every round to this file"
    )
    parser.add_argument(
        "--read", type=Path, metavar="FILE", help="a file of --json to read instead of measuring"
    )
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="the folder of performance.md")
    return parser.parse_args()


def run(options: argparse.Namespace) -> Report:
    """Measure the selected cases in the selected variants."""
    if options.against:
        ENVIRONMENTS[0].ways[options.against] = f"{EARLIER}:Way"
    report = Report(about(options.rounds), [way for _, ways in ENVIRONMENTS for way in ways], {})
    chosen = [variant for variant in VARIANTS if is_chosen(variant, options)]
    for variant, project in projects({each: answers(each) for each in chosen}):
        print(variant, file=sys.stderr)
        write_programs(project, variant)
        if options.against:
            add_earlier(options.against, project, variant)
        report.figures[variant] = measure(project, variant, options)
    return report


def about(rounds: int) -> list[str]:
    """Return the facts about the environment that a reader needs for a comparison."""
    packages = dict.fromkeys(package for each in ENVIRONMENTS for package in each.packages)
    return [f"{rounds} rounds", f"Python {platform.python_version()}", *packages]


def is_chosen(variant: str, options: argparse.Namespace) -> bool:
    database, mode = variant.split("-")
    return database in (options.database or [database]) and mode in (options.mode or [mode])


def write_programs(project: Path, variant: str) -> None:
    """Write the programs, which are written for async, into the project that runs them."""
    folder = project / "peers_inside"
    folder.mkdir()
    for program in (HERE / folder.name).glob("*.py"):
        text = program.read_text(encoding="utf-8")
        if variant.endswith("-sync"):
            for pattern, replacement in MORE_AS_SYNC.items():
                text = re.sub(pattern, replacement, text)
            text = as_sync(text)
        (folder / program.name).write_text(text, encoding="utf-8")


def add_earlier(version: str, project: Path, variant: str) -> None:
    """Add the package of a project of this release, and a way that uses it."""
    with TemporaryDirectory() as folder:
        template = earlier(version, Path(folder, "template"))
        made = {**answers(variant), "project_name": EARLIER}
        source = render(template, Path(folder, "project"), made) / "src" / EARLIER
        shutil.copytree(source, project / "src" / EARLIER)
    ours = (project / "peers_inside" / "ours.py").read_text(encoding="utf-8")
    way = project / "peers_inside" / f"{EARLIER}.py"
    way.write_text(ours.replace("task_queue", EARLIER), encoding="utf-8")


def measure(project: Path, variant: str, options: argparse.Namespace) -> Figures:
    """Measure a project; return the figures by case and way."""
    near = [case for case in options.only if not case.endswith("-far")]
    far = [case for case in options.only if case.endswith("-far")]
    with new_url(project, variant) as url:
        figures = measure_at(url, near, project, variant, options.rounds) if near else {}
        if far and variant.startswith("postgresql"):
            with with_latency(url) as url:
                figures |= measure_at(url, far, project, variant, options.rounds)
    return figures


def measure_at(url: str, cases: list[str], project: Path, variant: str, rounds: int) -> Figures:
    """Measure these cases at one URL, in every environment."""
    figures: Figures = {case: {} for case in cases}
    driver, module = DRIVER_OF[variant]
    url = url.replace(":", f"+{driver}:", 1)
    for packages, ways in ENVIRONMENTS:
        places = {
            name: place.format(module=module)
            for name, place in ways.items()
            if variant.endswith("-async") or name not in ASYNC_ONLY
        }
        wanted = json.dumps({"url": url, "rounds": rounds, "cases": cases, "ways": places})
        done = subprocess.run(
            in_environment(packages, "-W", "ignore", "-m", "peers_inside", wanted),
            cwd=project,
            env=os.environ | {"PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": ""},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        for case, measured in json.loads(done.stdout.splitlines()[-1]).items():
            figures[case] |= measured
    return figures


def in_environment(packages: tuple[str, ...], *command: str) -> list[str]:
    """Return a Python command that runs with these packages only."""
    wanted = [f"--with={package}" for package in packages]
    python = ["--python", sys.executable, "python"]
    return [UV, "run", "--quiet", "--isolated", "--no-project", *wanted, *python, *command]


@contextmanager
def new_url(project: Path, variant: str) -> Iterator[str]:
    """Yield the URL of an empty database."""
    if variant.startswith("sqlite"):
        yield f"sqlite:///{project / 'peers.db'}"
    else:
        with first_line_of(str(HERE / "server_inside.py"), cwd=project) as url:
            yield url


@contextmanager
def with_latency(url: str) -> Iterator[str]:
    """Yield a URL of the same server with one millisecond of latency."""
    with first_line_of(str(HERE / "latency.py"), url, "1") as port:
        yield make_url(url).set(host="127.0.0.1", port=int(port), query={}).render_as_string(False)


@contextmanager
def first_line_of(*program: str, cwd: Path = HERE) -> Iterator[str]:
    """Run a program until its input is closed; yield the first line that it prints."""
    with subprocess.Popen(
        [sys.executable, *program],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(cwd)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        line = process.stdout.readline().strip()
        if not line:
            sys.exit(f"{program[0]} did not start; its output is above")
        yield line


def draw(report: Report, folder: Path) -> None:
    """Draw a chart of each case."""
    program = in_environment(DRAWING, str(HERE / "peers_charts.py"), str(folder))
    subprocess.run(program, input=json.dumps(charts(report)), check=True, text=True)


if __name__ == "__main__":
    main()
