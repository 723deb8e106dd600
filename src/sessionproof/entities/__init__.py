"""Entities are described in words; the template writes their files."""
