"""A project follows the template, and loses nothing that its team has written."""
