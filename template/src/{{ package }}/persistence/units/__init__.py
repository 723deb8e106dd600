"""Units of work: from opening a session to the end of its transaction."""
