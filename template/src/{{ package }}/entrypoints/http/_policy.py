"""The Content-Security-Policy of a page: the browser runs what the page contains, and nothing else."""

import re
from base64 import b64encode
from hashlib import sha256


def page_policy(html: str, files: str = "") -> dict[str, str]:
    """The header for a page; `files="'self'"` also allows scripts and styles from this server."""
    allowed = {
        "default-src": "'none'",
        "script-src": f"{files} {_hashes('script', html)}",
        "style-src": f"{files} {_hashes('style', html)}",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    policy = "; ".join(f"{kind} {sources.strip()}" for kind, sources in allowed.items())
    return {"Content-Security-Policy": policy}


def _hashes(tag: str, html: str) -> str:
    found: list[str] = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    digests = (b64encode(sha256(text.encode()).digest()).decode() for text in found)
    return " ".join(f"'sha256-{digest}'" for digest in digests)
