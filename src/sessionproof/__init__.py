"""SQLAlchemy projects whose sessions are hard to misuse: generates, updates and examines them."""
