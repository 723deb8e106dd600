"""What can be asked of the command line, a module each."""
