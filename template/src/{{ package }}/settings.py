"""The settings, from the environment and `.env`."""

from datetime import date

from .persistence import DatabaseSettings


class Settings(DatabaseSettings):
    """Create it once per entrypoint and pass it on; .env.example lists the settings."""

    # Changes of behaviour after this day are switched off; docs/ownership.md explains how to switch
    # them on.
    database_defaults: date = date(2026, 11, 30)
