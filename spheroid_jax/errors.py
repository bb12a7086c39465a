"""Base class of the errors that a user can mend."""


class UserError(Exception):
    """An error that a user can mend; commands print its message and exit with status 2."""
