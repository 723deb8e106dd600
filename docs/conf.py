"""The documentation site: `just docs` builds it, and any warning is an error."""

import logging
import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
CHANGELOG = (HERE.parent / "CHANGELOG.md").read_text(encoding="utf-8")

sys.path.insert(0, str(HERE / "_extensions"))
logging.getLogger("alembic").setLevel(logging.WARNING)  # furo shows what every logger tells

project = "Sessionproof"
release = re.findall(r"^## (\d\S*)", CHANGELOG, re.MULTILINE)[0]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "generated",
    "docstrings",
    "llms",
]  # in this order
default_role = "code"  # of text in backticks on the page of the API
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # in signatures, the types of other libraries

myst_heading_anchors = 6

add_module_names = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
python_use_unqualified_type_names = True

html_baseurl = os.environ.get("SITE_URL", "")
html_theme = "furo"
html_title = f"Sessionproof {release}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
