"""Copy every row of another database with the same schema, and compare the rows before each commit.

This package runs with a project's interpreter and libraries. It imports nothing of `sessionproof`
outside this folder; it imports the project's package by name.
"""

from .comparison import CopiedTable, Report
from .errors import CopyRefused
from .tables import copy

__all__ = ["CopiedTable", "CopyRefused", "Report", "copy"]
