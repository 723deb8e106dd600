"""What `peers.py` runs, in an environment of its own: one thing, done in every way.

It is written for async; without its `async` and `await` it is the program for sync.
"""
