"""Everything that the environment decides."""

from datetime import date

from .persistence import DatabaseSettings


class Settings(DatabaseSettings):
    """Built once per entrypoint and passed down; see .env.example for what can be set."""

    # What the template changed later is off; `doctor` lists it, and the README says how to catch up.
    database_defaults: date = date(2026, 11, 29)
