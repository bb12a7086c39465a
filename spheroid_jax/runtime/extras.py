"""Error messages about optional packages that are not installed."""

import contextlib

from spheroid_jax.errors import UserError


class MissingPackage(UserError, ImportError):
    """An optional package is not installed; the message says how to install it."""


@contextlib.contextmanager
def needed(purpose, extra, alternative=""):
    """Turns the error of an import that fails inside the `with` block into `MissingPackage`.

    Args:
      purpose: subject of the message: the feature that needs the package.
      extra: name of the extra of spheroid_jax that installs the package.
      alternative: end of the message: what the user can do instead.

    Raises:
      MissingPackage: a package is not installed.
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
