# /// script
# requires-python = ">=3.11"
# dependencies = ["pyyaml>=6"]
# ///
"""Run the command `sessionproof` from this project's template.

`update` runs from the template's newest release, every other command from the project's version.
uv builds each version once and caches it. The commit is noted in the `.git` folder, so that the
command also runs without a network.
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
    """Run the command and return its exit code, or 2 if it cannot be found."""
    words = sys.argv[1:]
    source = named(words) or recorded("_src_path")
    place = located(source)
    if not place:
        return refused(
            f"the template is not at {source or 'the recorded place'}; name its place: "
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
    """Print the reason and return the exit code."""
    print(f"refused: {reason}", file=sys.stderr)
    return 2


def recorded(name: str) -> str:
    """Return one recorded answer, even if the rest of the file is malformed."""
    import yaml  # imported late, so that Ctrl-C is handled meanwhile

    path = PROJECT / ".copier-answers.yml"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    found = re.search(rf"^{name}:.*\n(?:[ ].*\n)*", text + "\n", re.MULTILINE)
    try:
        return str(yaml.safe_load(found[0])[name] or "") if found else ""
    except yaml.YAMLError:
        return ""


def named(words: list[str]) -> str:
    """Return the template that the command line names, or an empty text."""
    found = re.search(r"\0(?:--source|-s)[\0=]([^\0]+)", "\0".join(["", *words]))
    return found[1] if found else ""


def located(source: str) -> str:
    """Return the template's URL, or an empty text. Finds relative paths, and moved folders."""
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
    """Yield the sources from which uv may install the command, the best first."""
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
    """Return the newest tagged release, or an empty text if there is none or no network."""
    told = subprocess.run(["git", "ls-remote", "--tags", "--refs", place], capture_output=True)
    tags = re.findall(rb"refs/tags/(v?(\d+)\.(\d+)\.(\d+))$", told.stdout, re.MULTILINE)
    newest = max(tags, key=lambda found: [*map(int, found[1:])], default=(b"",))
    return newest[0].decode()


def notes() -> dict[str, str]:
    """Return the noted commits."""
    try:
        return dict(json.loads(notebook().read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def note(version: str, commit: str) -> None:
    """Note the commit of a version, if it is known."""
    if commit and notes().get(version) != commit and notebook().parent.is_dir():
        notebook().write_text(json.dumps({**notes(), version: commit}), encoding="utf-8")


def notebook() -> Path:
    """Return the path of the notes, in the `.git` folder."""
    git = ["git", "rev-parse", "--git-common-dir"]
    told = subprocess.run(git, cwd=PROJECT, capture_output=True, encoding="utf-8")
    return PROJECT / (told.stdout.strip() or ".git") / "sessionproof.json"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped: you interrupted it; nothing was changed")
