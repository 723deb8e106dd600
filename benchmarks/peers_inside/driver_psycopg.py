"""psycopg: one connection, and its own pool for concurrent threads."""

import psycopg
from psycopg_pool import ConnectionPool
from sqlalchemy import URL

from .cases import PAGE
from .model import Values

COPY = "COPY item (name, quantity, price, created_at) FROM STDIN (FORMAT binary)"
TYPES = ("text", "int4", "float8", "timestamptz")
INSERT = """
    INSERT INTO item (name, quantity, price, created_at)
    VALUES (%(name)s, %(quantity)s, %(price)s, %(created_at)s)
"""
UPSERT = """
    INSERT INTO item (id, name, quantity, price, created_at)
    VALUES (%(id)s, %(name)s, %(quantity)s, %(price)s, %(created_at)s)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, quantity = excluded.quantity,
        price = excluded.price, created_at = excluded.created_at
"""
GET = "SELECT id, name, quantity, price, created_at FROM item WHERE id = %s"
CHANGE = "UPDATE item SET quantity = %s WHERE id = %s"
AFTER = "SELECT id, name, quantity, price, created_at FROM item WHERE id > %s ORDER BY id LIMIT %s"
ALL = "SELECT id, name, quantity, price, created_at FROM item"


class Way:
    """Writes run in a transaction; a read is a single statement."""

    def __init__(self, url: URL) -> None:
        self.dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)

    def open(self) -> None:
        self.connection = psycopg.connect(self.dsn, autocommit=True)
        self.pool = ConnectionPool(self.dsn, min_size=10, max_size=10, open=True)

    def close(self) -> None:
        self.connection.close()
        self.pool.close()

    def insert(self, row: Values) -> None:
        with self.connection.transaction():
            self.connection.execute(INSERT, row)

    def insert_concurrently(self, row: Values) -> None:
        with self.pool.connection() as connection:
            connection.execute(INSERT, row)

    def get(self, key: int) -> int:
        row = self.connection.execute(GET, (key,)).fetchone()
        return row[0]

    def change(self, key: int) -> None:
        with self.connection.transaction():
            row = self.connection.execute(GET, (key,)).fetchone()
            self.connection.execute(CHANGE, (row[2] + 1, key))

    def bulk(self, rows: list[Values]) -> None:
        cursor = self.connection.cursor()
        with self.connection.transaction(), cursor.copy(COPY) as copy:
            copy.set_types(TYPES)
            for row in rows:
                copy.write_row(tuple(row.values()))

    def upsert(self, rows: list[Values]) -> None:
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.executemany(UPSERT, rows)

    def page(self, start: int) -> int:
        rows = self.connection.execute(AFTER, (start, PAGE)).fetchall()
        return sum(row[0] for row in rows)

    def stream_rows(self, size: int) -> int:
        total = 0
        with self.connection.transaction(), self.connection.cursor("rows") as cursor:
            cursor.execute(ALL)
            while rows := cursor.fetchmany(size):
                total += sum(row[2] for row in rows)
        return total
