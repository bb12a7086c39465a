"""Cache folder of prepared images and compiled programs, which can be made again."""

import pathlib

import platformdirs


def folder(chosen=""):
    """Returns the path of the cache folder, which need not exist.

    Args:
      chosen: folder that the user has chosen; "" for the platform's default. On Linux, the default
        is `spheroid_jax` in XDG_CACHE_HOME or, if that is not set, in `~/.cache`.
    """
    return pathlib.Path(chosen or platformdirs.user_cache_dir("spheroid_jax", appauthor=False))
