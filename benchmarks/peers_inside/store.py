"""The table itself: fills it before a case, and reads its state afterwards."""

from sqlalchemy import URL, create_engine, func, insert, select, text
from sqlalchemy.pool import NullPool

from .model import Base, Item, keyed

DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
EMPTY = {"sqlite": "DELETE FROM item", "postgresql": "TRUNCATE item RESTART IDENTITY"}
TIDY = {
    "sqlite": "ANALYZE",
    "postgresql": "VACUUM ANALYZE item",
}  # so that it does not happen while a way is timed


class Store:
    """The table of a database; it is empty at the beginning."""

    def __init__(self, url: URL) -> None:
        self.backend = url.get_backend_name()
        url = url.set(drivername=DRIVERS[self.backend])
        self.engine = create_engine(url, poolclass=NullPool)
        Base.metadata.drop_all(self.engine)
        Base.metadata.create_all(self.engine)

    def fill(self, rows: int) -> tuple[int, int]:
        """Fill the table with `rows` rows, with keys from 1; return its `state()`."""
        if self.state()[0] != rows:
            with self.engine.begin() as connection:
                connection.execute(text(EMPTY[self.backend]))
                if rows:
                    connection.execute(
                        insert(Item), [keyed(number) for number in range(1, rows + 1)]
                    )
            self.tidy()
        return self.state()

    def tidy(self) -> None:
        with self.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(TIDY[self.backend]))

    def state(self) -> tuple[int, int]:
        """Return the number of rows, and the sum of their quantities."""
        statement = select(func.count(), func.coalesce(func.sum(Item.quantity), 0))
        with self.engine.connect() as connection:
            rows, quantity = connection.execute(statement).one()
        return rows, quantity
