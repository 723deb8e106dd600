"""Fixtures for every test: those of the test kit, then the project's own."""

pytest_plugins = ["tests.kit.fixtures"]

# Your fixtures, below this line --------------------------------------------------------
