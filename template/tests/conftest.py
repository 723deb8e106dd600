"""Fixtures for every test: the kit's, then the project's own."""

pytest_plugins = ["tests.kit.fixtures"]

# Your fixtures, below this line --------------------------------------------------------
