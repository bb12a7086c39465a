"""The one kind of error that a user can mend."""


class UserError(Exception):
    """What a user can mend; commands show its message as one line and exit with status 2."""
