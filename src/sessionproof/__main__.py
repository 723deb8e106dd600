"""`sessionproof COMMAND …`: finds the command that is meant, and imports no other."""

import sys
from collections.abc import Sequence
from importlib import import_module, metadata

from .installation import origin

COMMANDS = {
    "new": "start a project",
    "update": "bring what is new in the template into a project",
    "entity": "add an entity to a project, change one, or take one out",
    "owned": "say who owns which file of a project; take one over",
    "rules": "find the ways in which sessions go wrong in a project of the template",
    "prove": "run the tests of the kernel's promises against a project",
    "copy-rows": "copy the rows of another database into a project's",
    "propose": "push an update that is not committed yet to a branch of its own",
    "fleet": "say of many projects whether they are behind",
    "examine": "find the ways in which sessions go wrong in any project",
}
USAGE = "\n".join(
    [
        "usage: sessionproof COMMAND [--help | ARGUMENT ...]\n",
        *(f"  {name:<10}{about}" for name, about in COMMANDS.items()),
    ]
)


def version() -> str:
    """As the changelog names it."""
    return metadata.version("sessionproof")


def commit() -> str:
    """The commit of the template that this was installed from; nothing if it was not git's."""
    return str(origin().get("vcs_info", {}).get("commit_id", ""))


ABOUT = {"-h": lambda: USAGE, "--help": lambda: USAGE, "--version": version, "--commit": commit}


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    name, *arguments = (sys.argv[1:] if words is None else words) or ["--help"]
    if name in ABOUT:
        print(ABOUT[name]())
        return 0
    if name not in COMMANDS:
        print(f"sessionproof has no command {name}\n\n{USAGE}", file=sys.stderr)
        return 2
    try:
        module = import_module(f".commands.{name.replace('-', '_')}", __package__)
        code: int = module.main(arguments)
    except KeyboardInterrupt:  # before the command could say more
        print("stopped: by you; nothing was changed", file=sys.stderr)
        return 3
    return code


if __name__ == "__main__":
    sys.exit(main())
