"""`sessionproof COMMAND …`: import the module of one command, and run it."""

import sys
from collections.abc import Sequence
from importlib import import_module, metadata

from .installation import origin

COMMANDS = {
    "new": "start a project",
    "update": "merge the template's changes into a project",
    "entity": "add, change or remove an entity of a project",
    "owned": "list which files updates merge, and take files over",
    "rules": "check a generated project for misused sessions",
    "prove": "run the kernel's own tests against a project",
    "copy-rows": "copy the rows of another database into a project's database",
    "propose": "push an uncommitted update to a branch of its own (for CI)",
    "fleet": "list which of many projects are behind the template",
    "examine": "check any Python project for misused sessions",
}
USAGE = "\n".join(
    [
        "usage: sessionproof COMMAND [--help | ARGUMENT ...]\n",
        *(f"  {name:<10}{about}" for name, about in COMMANDS.items()),
    ]
)


def version() -> str:
    """Return the version of the installed command."""
    return metadata.version("sessionproof")


def commit() -> str:
    """Return the template's commit that this was installed from, or `""` if git did not install it."""
    return str(origin().get("vcs_info", {}).get("commit_id", ""))


ABOUT = {"-h": lambda: USAGE, "--help": lambda: USAGE, "--version": version, "--commit": commit}


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    name, *arguments = (sys.argv[1:] if words is None else words) or ["--help"]
    if name in ABOUT:
        print(ABOUT[name]())
        return 0
    if name not in COMMANDS:
        print(f"sessionproof has no command {name!r}\n\n{USAGE}", file=sys.stderr)
        return 2
    try:
        module = import_module(f".commands.{name.replace('-', '_')}", __package__)
        code: int = module.main(arguments)
    except KeyboardInterrupt:  # before the command handles it itself
        print("stopped: you interrupted it; nothing was changed", file=sys.stderr)
        return 3
    return code


if __name__ == "__main__":
    sys.exit(main())
