"""The cache folder, which holds what can be made again."""

import pathlib

import platformdirs


def folder(chosen=""):
    """Returns the cache folder, which need not exist.

    Args:
      chosen: a folder that the user has chosen; "" for the platform's own place, which is
        `~/.cache/spheroid_jax` on Linux, where XDG_CACHE_HOME is obeyed.
    """
    return pathlib.Path(chosen or platformdirs.user_cache_dir("spheroid_jax", appauthor=False))
