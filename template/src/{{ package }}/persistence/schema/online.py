"""Migrations of a PostgreSQL database that other programs use meanwhile.

One process migrates at a time. Each revision is a transaction of its own, so that locks do not add
up. While a statement waits for the lock of a table, later queries of that table wait behind it. So a
statement waits only briefly, and its revision is retried.
"""

import logging
import random
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..core.errors import MigrationRefused
from ..drivers.checks import reason
from ..drivers.settings import DatabaseSettings

log = logging.getLogger(__name__)

OnConnection = Callable[[Callable[[Connection], None]], None]

LOCK = 7236411  # the advisory lock of migrations, in every release
BLOCKED = ("55P03", "40P01")  # lock_not_available, deadlock_detected
STEP = 0.5  # seconds
LONGEST_PAUSE = 10  # seconds

DESCRIBED = """
    SELECT format('process %s (%s, %s for %s s)', pid, coalesce(nullif(application_name, ''), usename),
        state, extract(epoch FROM now() - coalesce(xact_start, state_change))::int)
    FROM pg_stat_activity WHERE pid IN ({})
"""
MIGRATING = """
    SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND objid = {} AND granted AND datname = current_database()
"""
HOLDERS = text(DESCRIBED.format(MIGRATING.format(LOCK)))
BLOCKERS = text(DESCRIBED.format("SELECT unnest(pg_blocking_pids(:process))"))

OUTSIDE = re.compile(r"\b(INDEX|TABLE|SCHEMA|DATABASE)\s+CONCURRENTLY\b", re.IGNORECASE)
NAME = r'(?:"(?:[^"]|"")+"|[^\s".(]+)'
PLACE = rf"((?:{NAME}\.)?{NAME})"
CREATE = rf"INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?({NAME})\s+ON\s+(?:ONLY\s+)?{PLACE}"
REINDEX = rf"REINDEX\s+(?:\(.*?\)\s*)?(?:INDEX|TABLE)\s+CONCURRENTLY\s+{PLACE}"
INVALID = (
    "SELECT quote_ident(nspname) || '.' || quote_ident(relname) FROM pg_index JOIN pg_class AS part "
    "ON part.oid = indexrelid JOIN pg_namespace AS place ON place.oid = relnamespace "
    "WHERE NOT indisvalid AND relkind = 'i' AND indrelid IN (to_regclass(:place), (SELECT indrelid "
    "FROM pg_index WHERE indexrelid = to_regclass(:place))) "
    "AND (relname = :name OR relname ~ '_cc(new|old)[0-9]*$')"
)


# Revisions -----------------------------------------------------------------------------


class Steps:
    """The steps of a command that are still to be made.

    They are planned once: after one of them, a relative revision like `-2` would mean another one.
    """

    def __init__(self, plan: Callable[..., Iterable[Any]]) -> None:
        self._plan = plan
        self._left: list[Any] | None = None
        self._tried = set[str]()
        self._since = 0.0  # when the last one was tried first
        self._failures = 0
        self.made: list[str] = []
        self.may_commit = True  # False until a step is recorded
        self.has_committed = False  # a part of a step

    @property
    def name(self) -> str:
        """The revision of the next step; empty if there is none."""
        return ", ".join(self._left[0].info.up_revision_ids) if self._left else ""

    def __call__(self, heads: Any, migration: MigrationContext) -> Iterator[Any]:
        """Yield each step. Alembic takes the next one after the transaction of the last one."""
        if self._left is None:
            self._left = [*self._plan(heads, migration)]
        while self._left:
            if self.name not in self._tried:
                self._tried.add(self.name)
                self._since, self._failures = monotonic(), 0
            self.may_commit = self.has_committed = False
            yield self._left[0]
            self.made.append(self.name)
            self._left.pop(0)
        self.may_commit = True

    def record(self, **_: object) -> None:
        """Called by Alembic when it has recorded the step."""
        self.may_commit = True

    def start_again(self) -> None:
        """Forget the steps, because they were rolled back."""
        self._left, self.made = None, []

    def pause(self, seconds: float) -> float:
        """How long to wait before the step is retried; 0 if it has been tried for these seconds."""
        if monotonic() > self._since + seconds:
            return 0
        self._failures += 1
        longest = min(STEP * 2**self._failures, LONGEST_PAUSE)
        return random.uniform(longest / 2, longest)  # noqa: S311


def run_revisions(
    connection: Connection,
    settings: DatabaseSettings,
    configure: Callable[..., None],
    on_connection: OnConnection,
) -> None:
    """Make the steps of Alembic's command; `configure` prepares Alembic for it.

    Errors of the database get a note that names the revision that failed.
    """
    configure()
    steps = Steps(context.get_context().opts["fn"])
    is_pooled = settings.direct().database_pgbouncer  # then a lock cannot outlast a transaction
    _refuse_halves(connection, steps, is_pooled=is_pooled)
    while True:
        if is_pooled:
            steps.start_again()
        configure(fn=steps, on_version_apply=steps.record, transaction_per_migration=not is_pooled)
        blockers = list[str]()
        try:
            process = _take_turn(connection, "_xact" if is_pooled else "")
            half = settings.database_migration_lock_timeout / 2
            with _watching(process, half, on_connection, blockers), context.begin_transaction():
                context.run_migrations()
            connection.commit()
            return
        except (SQLAlchemyError, MigrationRefused) as error:
            connection.rollback()
            cause = _cause(error)
            pause = steps.pause(settings.database_migration_give_up_after)
            if not (pause and is_blocked(cause)):
                words = _explained(cause, steps, blockers, is_pooled=is_pooled)
                if isinstance(cause, MigrationRefused):
                    raise MigrationRefused(words) from error
                cause.add_note(words)
                raise cause from cause.__cause__
            log.warning("revision %s needs %s; retrying", steps.name, _named(blockers))
        sleep(pause)


def _take_turn(connection: Connection, kind: str) -> int:
    """Wait for the lock of migrations, which the connection holds until it is closed or lost.

    Returns the number of the server's process.
    """
    query = text(f"SELECT pg_try_advisory{kind}_lock({LOCK}), pg_backend_pid()")
    began, has_warned = monotonic(), False
    while True:
        is_mine, process = connection.execute(query).one()
        if is_mine:
            return int(process)
        if not has_warned and monotonic() - began > 1:
            holders = connection.scalars(HOLDERS).all()
            log.warning("waiting for another migration: %s", " and ".join(holders))
            has_warned = True
        connection.rollback()
        sleep(STEP)


@contextmanager
def _watching(
    process: int, pause: float, on_connection: OnConnection, found: list[str]
) -> Generator[None]:
    """Look meanwhile, on a second connection, which processes this one waits for."""
    is_over = Event()

    def look(connection: Connection) -> None:
        while not is_over.wait(pause):
            found[:] = connection.scalars(BLOCKERS, {"process": process}).all() or found
            connection.rollback()  # a transaction would see the same processes again

    def watch() -> None:
        with suppress(Exception):  # then the names are missing, and nothing else
            if not is_over.wait(pause / 2):
                on_connection(look)

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _refuse_halves(connection: Connection, steps: Steps, *, is_pooled: bool) -> None:
    """Refuse a commit inside a revision that has changed anything: it could not run again.

    Alembic's `autocommit_block()` begins with a commit.
    """

    @event.listens_for(connection, "commit")
    def check(connection: Connection) -> None:
        if steps.may_commit:
            return
        if is_pooled:
            raise MigrationRefused(
                "autocommit_block() does not work through PgBouncer; set DATABASE_DIRECT_URL to the "
                "address of the server itself"
            )
        if connection.scalar(text("SELECT pg_current_xact_id_if_assigned()::text")):
            raise MigrationRefused(
                "it changes something before its autocommit_block(), which commits, so it could not "
                "run again if it were interrupted; move these changes to a revision of their own"
            )
        steps.has_committed = True


def _explained(error: Exception, steps: Steps, blockers: Iterable[str], *, is_pooled: bool) -> str:
    """The error, with the revision that failed and the revisions that stay."""
    words = str(error) if isinstance(error, MigrationRefused) else reason(error)
    if is_blocked(error):
        words += f"; it needs {_named(blockers)}"
    if steps.has_committed:
        words += "; run it again to complete its autocommit_block()"
    if steps.made and not is_pooled:
        words += f"; applied before: {', '.join(steps.made)}"
    elif not steps.has_committed:
        words += "; nothing was applied"
    return f"{f'revision {steps.name}' if steps.name else 'the migration'} failed: {words}"


def _named(blockers: Iterable[str]) -> str:
    return f"a lock that is held by {' and '.join(blockers)}" if blockers else "a lock"


def _cause(error: Exception) -> Exception:
    """The first error; the end of an `autocommit_block()` on a lost connection raises another."""
    while isinstance(error.__context__, Exception) and not isinstance(
        error, DBAPIError | MigrationRefused
    ):
        error = error.__context__
    return error


def is_blocked(error: Exception) -> bool:
    """Whether the statement did not get a lock, and can be retried."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in BLOCKED


# Statements outside of a transaction ---------------------------------------------------


@contextmanager
def concurrently(connection: Connection, statement: str, seconds: float) -> Generator[None]:
    """Prepare for a statement with CONCURRENTLY, and let it wait for other transactions.

    Nobody waits behind it. If an earlier run was interrupted, its invalid indexes are dropped. Raises
    MigrationRefused inside a transaction.
    """
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        raise MigrationRefused(
            "CONCURRENTLY does not work inside a transaction; put it into a block, "
            "`with op.get_context().autocommit_block():`"
        )
    connection.execute(text(f"SET lock_timeout = '{seconds}s'"))
    for index in _invalid(connection, statement):
        log.warning("dropping the invalid index %s of an interrupted migration", index)
        connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {index}".replace(":", "\\:")))
    try:
        yield
    finally:
        connection.execute(text("RESET lock_timeout"))


def _invalid(connection: Connection, statement: str) -> Iterable[str]:
    """The invalid indexes that the statement would meet, or that it left behind."""
    found = re.search(rf"{CREATE}|{REINDEX}", statement, re.IGNORECASE)
    if not found:
        return ()
    name, table, place = found.groups(default="")
    plain = name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
    return connection.scalars(text(INVALID), {"place": table or place, "name": plain}).all()
