"""The database's driver: its engine, pool and settings, in modules for each database."""
