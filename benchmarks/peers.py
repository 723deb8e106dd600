"""A generated project, against everything that people would use instead.

Run with `uv run python benchmarks/peers.py`. Each database and mode is measured in processes of its
own, in environments that uv makes, in rounds: every way in turn, on the same table. What counts is
the median of the rounds' ratios to the bare ORM. `--write docs/explanation` puts the tables and a chart of each
case into `docs/explanation/performance.md`.
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
    BEFORE,
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

# What is not named here is the newest that these allow.
DRIVERS = ("aiosqlite==0.22.1", "asyncpg==0.32.0", "psycopg[binary,pool]==3.3.9")
PROJECT = ("alembic==1.20.1", "anyio==4.16.0", "pydantic-settings==2.16.3")
DRAWING = ("matplotlib==3.11.2",)


class Environment(NamedTuple):
    """Packages, and what is measured with them: the class of each way."""

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
            BEFORE: "orm:Way",
            BIND_MANAGER: "bind_manager:Way",
        },
    ),
)
EARLIER = "earlier"  # the package of the project that an earlier release renders
ASYNC_ONLY = {"fastcrud"}
DRIVER_OF = {  # and the module that has it bare
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
    parser.add_argument("--against", metavar="VERSION", help="compare with this release, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every round, too")
    parser.add_argument("--read", type=Path, metavar="FILE", help="of --json; nothing is run")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="with performance.md")
    return parser.parse_args()


def run(options: argparse.Namespace) -> Report:
    """Measure the chosen cases in the chosen variants."""
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
    """What somebody else needs to know to compare."""
    packages = dict.fromkeys(package for each in ENVIRONMENTS for package in each.packages)
    return [f"{rounds} rounds", f"Python {platform.python_version()}", *packages]


def is_chosen(variant: str, options: argparse.Namespace) -> bool:
    database, mode = variant.split("-")
    return database in (options.database or [database]) and mode in (options.mode or [mode])


def write_programs(project: Path, variant: str) -> None:
    """Write them to where they run; they are written for async."""
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
    """Add the project that this release renders, as a package of its own, and its way."""
    with TemporaryDirectory() as folder:
        template = earlier(version, Path(folder, "template"))
        made = {**answers(variant), "project_name": EARLIER}
        source = render(template, Path(folder, "project"), made) / "src" / EARLIER
        shutil.copytree(source, project / "src" / EARLIER)
    ours = (project / "peers_inside" / "ours.py").read_text(encoding="utf-8")
    way = project / "peers_inside" / f"{EARLIER}.py"
    way.write_text(ours.replace("task_queue", EARLIER), encoding="utf-8")


def measure(project: Path, variant: str, options: argparse.Namespace) -> Figures:
    """By case and way."""
    near = [case for case in options.only if not case.endswith("-far")]
    far = [case for case in options.only if case.endswith("-far")]
    with new_url(project, variant) as url:
        figures = measure_at(url, near, project, variant, options.rounds) if near else {}
        if far and variant.startswith("postgresql"):
            with further_away(url) as url:
                figures |= measure_at(url, far, project, variant, options.rounds)
    return figures


def measure_at(url: str, cases: list[str], project: Path, variant: str, rounds: int) -> Figures:
    """Those that are measured at this place, in every environment."""
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
    """A command of Python with these packages, and no others."""
    wanted = [f"--with={package}" for package in packages]
    python = ["--python", sys.executable, "python"]
    return [UV, "run", "--quiet", "--isolated", "--no-project", *wanted, *python, *command]


@contextmanager
def new_url(project: Path, variant: str) -> Iterator[str]:
    """An empty database."""
    if variant.startswith("sqlite"):
        yield f"sqlite:///{project / 'peers.db'}"
    else:
        with said(str(HERE / "server_inside.py"), cwd=project) as url:
            yield url


@contextmanager
def further_away(url: str) -> Iterator[str]:
    """The same server with a millisecond of network before it."""
    with said(str(HERE / "latency.py"), url, "1") as port:
        yield make_url(url).set(host="127.0.0.1", port=int(port), query={}).render_as_string(False)


@contextmanager
def said(*program: str, cwd: Path = HERE) -> Iterator[str]:
    """The first line of a program, which ends when its input is closed."""
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
            sys.exit(f"{program[0]} did not start; what it said is above")
        yield line


def draw(report: Report, folder: Path) -> None:
    """A chart of each case."""
    program = in_environment(DRAWING, str(HERE / "peers_charts.py"), str(folder))
    subprocess.run(program, input=json.dumps(charts(report)), check=True, text=True)


if __name__ == "__main__":
    main()
