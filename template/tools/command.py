# /// script
# requires-python = ">=3.11"
# dependencies = ["pyyaml>=6"]
# ///
"""Runs the command `sessionproof` from the template that this project follows.

`update` runs the template's newest release, every other command the version that the project has.
uv builds each version once and keeps it. Which commit that was is noted in the repository, so that
it can be run again without a network.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

PROJECT = Path(__file__).resolve().parents[1]
HOSTS = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
UVX = (os.environ.get("UV", "uv"), "tool", "run", "--quiet", "--from")


def main() -> int:
    """The exit code of the command; 2 if it cannot be found."""
    words = sys.argv[1:]
    source = named(words) or recorded("_src_path")
    place = located(source)
    if not place:
        return refused(
            f"the template is not at {source or 'a place that is recorded'}; say where it is: "
            "just update --source <its URL or path>"
        )
    version = "newest" if words[:1] == ["update"] else recorded("_commit") or "newest"
    for origin in origins(place, version):
        command = (*UVX, origin, "sessionproof")
        found = subprocess.run([*command, "--commit"], capture_output=True, encoding="utf-8")
        if not found.returncode:
            note(f"{place}@{version}", found.stdout.strip())
            if os.name == "posix":
                os.execvp(command[0], [*command, *words])  # so that Ctrl-C reaches it, and only it
            return subprocess.run([*command, *words]).returncode
    causes = re.findall(r"(?:cause|error|fatal): *(.+)", found.stderr, re.IGNORECASE)
    return refused(f"uv cannot run sessionproof from {place}: {(causes or [origin])[-1]}")


def refused(reason: str) -> int:
    """Says why; the exit code."""
    print(f"refused: {reason}", file=sys.stderr)
    return 2


def recorded(name: str) -> str:
    """What the project remembers, also if something else in its answers cannot be read."""
    import yaml  # here, where Ctrl-C is answered in a sentence

    path = PROJECT / ".copier-answers.yml"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    found = re.search(rf"^{name}:.*\n(?:[ ].*\n)*", text + "\n", re.MULTILINE)
    try:
        return str(yaml.safe_load(found[0])[name] or "") if found else ""
    except yaml.YAMLError:
        return ""


def named(words: list[str]) -> str:
    """The template that the command line names."""
    found = re.search(r"\0(?:--source|-s)[\0=]([^\0]+)", "\0".join(["", *words]))
    return found[1] if found else ""


def located(source: str) -> str:
    """The template's URL; nothing if it is not there. A path may be relative, or have moved with us."""
    if re.match(r"[^/]+:", source):
        for shortcut, host in HOSTS.items():
            source = re.sub(f"^{shortcut}", host, source)
        return re.sub(r"^([\w.-]+@[\w.-]+):", r"ssh://\1/", source.removeprefix("git+"))
    path = Path(source).expanduser()
    folders = [folder / path for folder in (PROJECT, *PROJECT.parents)]
    for folder in [*folders, *(each / path.name for each in PROJECT.parents)] if source else []:
        if any((folder / name).exists() for name in (".git", "HEAD", "copier.yml")):
            return folder.resolve().as_uri()
    return ""


def origins(place: str, version: str) -> Iterator[str]:
    """What uv may get the command from, the best first."""
    known = notes().get(f"{place}@{version}")
    if version != "newest":
        yield f"git+{place}@{known or re.sub('.*-g(?=[0-9a-f]+$)', '', version)}"
    if newest := newest_release(place):
        yield f"git+{place}@{newest}"
    yield f"git+{place}"
    if known:
        yield f"git+{place}@{known}"
    if place.startswith("file://"):
        yield unquote(place.removeprefix("file://"))  # a shallow clone, which uv cannot fetch from


def newest_release(place: str) -> str:
    """The newest release that has a tag; nothing if there is none, or no network."""
    told = subprocess.run(["git", "ls-remote", "--tags", "--refs", place], capture_output=True)
    tags = re.findall(rb"refs/tags/(v?(\d+)\.(\d+)\.(\d+))$", told.stdout, re.MULTILINE)
    newest = max(tags, key=lambda found: [*map(int, found[1:])], default=(b"",))
    return newest[0].decode()


def notes() -> dict[str, str]:
    """The commits that were run."""
    try:
        return dict(json.loads(notebook().read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def note(version: str, commit: str) -> None:
    """Remember the commit, if it is one."""
    if commit and notes().get(version) != commit and notebook().parent.is_dir():
        notebook().write_text(json.dumps({**notes(), version: commit}), encoding="utf-8")


def notebook() -> Path:
    """Beside the repository, as nothing of it."""
    git = ["git", "rev-parse", "--git-common-dir"]
    told = subprocess.run(git, cwd=PROJECT, capture_output=True, encoding="utf-8")
    return PROJECT / (told.stdout.strip() or ".git") / "sessionproof.json"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped: by you; nothing was changed")
