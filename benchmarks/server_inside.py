"""A PostgreSQL of its own: run in a rendered project, it prints its URL.

It is gone when its standard input is closed.
"""

import sys

from tests.kit.postgresql import create_database, own_server

if __name__ == "__main__":
    with own_server() as server:  # which waits for the disk, as the tests' own does not
        url = server.url.set(database="benchmark_peers")
        create_database(url)
        print(url.render_as_string(hide_password=False), flush=True)
        sys.stdin.read()
