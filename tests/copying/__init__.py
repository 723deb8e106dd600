"""The tests of `copy-rows` that run inside of a rendered project."""
