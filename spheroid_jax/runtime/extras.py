"""Error messages about optional packages that are not installed."""

import contextlib

from spheroid_jax.errors import UserError


class MissingPackage(UserError, ImportError):
    """An optional package is not installed; the message says how to install it."""


@contextlib.contextmanager
def needed(purpose, extra, alternative=""):
    """Turns a failing import inside the `with` block into a `MissingPackage`.

    Args:
      purpose: what needs the package, the subject of the message.
      extra: name of the extra of this package that installs the missing one.
      alternative: what the user can do instead, the end of the message.

    Raises:
      MissingPackage: a module of another package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        # A missing module of our own is our bug.
        if error.name is None or error.name.split(".")[0] == "spheroid_jax":
            raise
        raise MissingPackage(
            f"{purpose} needs the package {error.name.split('.')[0]}, which is not installed: "
            f'pip install "spheroid-jax[{extra}]"{alternative}'
        ) from error
