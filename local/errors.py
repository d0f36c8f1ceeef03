"""What stops a command: a sentence for the person at the terminal that says what to do."""


class CannotRun(Exception):
    """Printed as one line after `chatmill:`, without a traceback."""
