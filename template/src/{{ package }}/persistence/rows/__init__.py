"""Rows: repositories, pages, many rows in one statement."""
