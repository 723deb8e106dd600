"""Everything that the environment decides."""

from .persistence import DatabaseSettings


class Settings(DatabaseSettings):
    """Built once per entrypoint and passed down; see .env.example for what can be set."""
