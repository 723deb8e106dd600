"""Find misused database sessions in any Python project."""
