"""Merge new versions of the template into a project, without losing the team's edits."""
