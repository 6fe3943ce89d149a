"""The error inside this package; `decode` turns it into the caller's."""


class BrokenImageError(Exception):
    """A file that is not accepted; the message is a sentence that says what is wrong."""
