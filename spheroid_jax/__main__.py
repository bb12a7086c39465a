"""The command `spheroid`; `python -m spheroid_jax` is the same."""

import sys

from spheroid_jax.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
