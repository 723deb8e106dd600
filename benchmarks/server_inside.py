"""Start a PostgreSQL server inside a rendered project and print its URL.

It stops when its standard input is closed.
"""

import sys

from tests.kit.postgresql import create_database, own_server

if __name__ == "__main__":
    with own_server() as server:  # it waits for the disk, unlike the tests' server
        url = server.url.set(database="benchmark_peers")
        create_database(url)
        print(url.render_as_string(hide_password=False), flush=True)
        sys.stdin.read()
