"""Make the pictures of the documentation from real output: `just pictures`.

Each picture is a terminal: a program of this folder, and what Python or `sessionproof` prints when
it runs. Frames of the traceback that the program does not show are left out, and paths are shortened.
"""

import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import copier
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.syntax import Syntax
from rich.terminal_theme import TerminalTheme
from rich.text import Text

HERE = Path(__file__).resolve().parent
TEMPLATE = HERE.parents[1]
COLUMNS = 92

# A viewer may not load a font from elsewhere, so the picture names those that readers have.
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
FORMAT = re.sub(r" *@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", FONTS
)
NORMAL = [(40, 44, 52), (224, 108, 117), (152, 195, 121), (229, 192, 123)]
NORMAL += [(97, 175, 239), (198, 120, 221), (86, 182, 194), (220, 223, 228)]
BRIGHT = [(127, 132, 142), *NORMAL[1:]]
THEME = TerminalTheme((30, 33, 39), (220, 223, 228), NORMAL, BRIGHT)  # on light and on dark pages


def main() -> None:
    """Write every picture."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--project", type=Path, help="a rendered project; by default, a new one")
    parser.add_argument("--into", type=Path, default=HERE, help="the folder to write to")
    wish = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        project = wish.project or rendered(folder / "project")
        for name, picture in {
            "misuse": misuse(project, folder),
            "examine": examine(folder),
        }.items():
            (wish.into / f"{name}.svg").write_text(picture, encoding="utf-8")


def rendered(folder: Path) -> Path:
    """A project with the defaults, from the files as they are now."""
    copier.run_copy(str(TEMPLATE), folder, vcs_ref="HEAD", defaults=True, quiet=True)
    return folder


def misuse(project: Path, folder: Path) -> str:
    """A unit of work that two tasks share, and the error that names the line that opened it."""
    program = folder / "add_tasks.py"
    program.write_bytes((HERE / "misuse.py").read_bytes())
    os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'tasks.db'}"
    migrate = "from task_queue.entrypoints.cli import app; app()"
    python(project, "-c", migrate, "db", "upgrade")
    failed = python(project, str(program), status=1)

    traceback = list(own_frames(failed.stderr.splitlines(), program))
    lines = {int(number) for number in re.findall(r"(?:line |\.py:)(\d+)", "".join(traceback))}
    return terminal(
        "A unit of work in another task",
        [
            code(program, highlight=lines),
            Text(),
            prompt("python add_tasks.py"),
            *(as_output(line) for line in traceback),
        ],
    )


def examine(folder: Path) -> str:
    """What `just examine` finds in code that has the same misuse and nothing of ours."""
    service = folder / "your-project"
    service.mkdir()
    program = service / "tasks.py"
    program.write_bytes((HERE / "examined.py").read_bytes())
    command = [sys.executable, "-m", "sessionproof", "examine", str(service)]
    environment = {**os.environ, "COLUMNS": str(COLUMNS)}
    found = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    assert found.returncode == 1, found.stderr

    shown = [line for line in found.stdout.splitlines() if not line.startswith("Next:")]
    [line] = {int(number) for number in re.findall(r"tasks\.py:(\d+)", found.stdout)}
    return terminal(
        "The same mistake in plain SQLAlchemy",
        [
            code(program, highlight={line}),
            Text(),
            prompt("just examine ../your-project"),
            *(as_output(line) for line in shown),
        ],
    )


def python(project: Path, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run Python with a project's code and this repository's libraries."""
    environment = {**os.environ, "PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == status, done.stderr
    return done


def own_frames(traceback: Iterable[str], program: Path) -> Iterator[str]:
    """The lines of a traceback, with an ellipsis for frames that the picture does not show."""
    is_shown, is_cut = True, False
    for line in traceback:
        if frame := re.match(r'  File "(.+)", line \d+, in (.+)', line):
            is_shown = frame[1] == str(program) and frame[2] not in {"main", "<module>"}
        elif not line.startswith(" "):
            is_shown = True
        if not is_shown:
            is_cut = True
        elif line.strip(" ^~"):  # Python 3.13 underlines other parts of a line than 3.11
            if is_cut:
                yield "  …"
            is_cut = False
            yield re.sub(r"'Task-(?!1')\d+'", "'Task-6'", line).replace(f"{program.parent}/", "")


def code(program: Path, *, highlight: set[int]) -> Syntax:
    """The functions of a program before `main`, with the line numbers that they have in it."""
    text = program.read_text(encoding="utf-8")
    lines = text.partition("\n\n\nasync def main")[0].splitlines()
    start = next(number for number, line in enumerate(lines, 1) if line.startswith("async def"))
    return Syntax(
        text,
        "python",
        theme="ansi_dark",
        line_numbers=True,
        line_range=(start, len(lines)),
        highlight_lines=highlight,
        background_color="default",
    )


def prompt(command: str) -> Text:
    """A command at a prompt."""
    return Text.assemble(("$ ", "bright_black"), (command, "bold"))


def as_output(line: str) -> Text:
    """A line of output, in which the name of the error and its places stand out."""
    text = Text(line)
    text.highlight_regex(r"^[\w.]*WrongOwner|^ *error(?=:)", "bold red")
    text.highlight_regex(r"\w+\.py:\d+|line \d+", "bold yellow")
    return text


def terminal(title: str, lines: Iterable[Text | Syntax]) -> str:
    """A picture of a terminal that shows these lines."""
    console = Console(
        record=True,
        width=COLUMNS,
        file=StringIO(),
        force_terminal=True,
        color_system="256",
    )
    for line in lines:
        console.print(line, highlight=False)
    console.print()  # or the underscores of the last line are cut off
    name = re.sub(r"\W+", "-", title.lower())
    return console.export_svg(title=title, theme=THEME, code_format=FORMAT, unique_id=name)


if __name__ == "__main__":
    main()
