"""Copy every row of another database with the same schema, and compare it before it is saved.

This package runs with the interpreter and the libraries of a project: it imports nothing of
`sessionproof` outside this folder, and the project's package by its name.
"""

from .comparison import CopiedTable, Report
from .errors import CopyRefused
from .tables import copy

__all__ = ["CopiedTable", "CopyRefused", "Report", "copy"]
