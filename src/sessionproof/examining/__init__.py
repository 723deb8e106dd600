"""The ways in which sessions go wrong, found in any Python project."""
