"""Copying: every row of another database with the same schema, compared before it is saved."""

from ._comparison import CopiedTable, Report
from ._copy import copy, copy_tables

__all__ = ["CopiedTable", "Report", "copy", "copy_tables"]
