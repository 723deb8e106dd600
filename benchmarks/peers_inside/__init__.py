"""The program that `peers.py` runs in each environment: it does the same work in every way.

It is written for async. The sync program is the same text without `async` and `await`.
"""
