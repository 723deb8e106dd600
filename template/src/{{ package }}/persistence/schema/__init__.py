"""The schema: what a migration changes, and whether the code agrees with it."""
