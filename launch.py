"""Trains and evaluates one fold.

    python launch.py --config=configs/adver.py --fold=2

Any value of the config can be overridden: --config.data.root=DIR,
--config.model.width=16. The same command goes on where an interrupted one
stopped. --mode=evaluate scores a trained fold again.
"""

import os
import signal
import sys

from absl import app, flags, logging
from ml_collections import config_flags

from spheroid_jax import logs

_CONFIG = config_flags.DEFINE_config_file(
    "config", None, "the settings: a file of configs/"
)
_FOLD = flags.DEFINE_integer("fold", 0, "which partition validates: 0 to 4")
_WORKDIR = flags.DEFINE_string(
    "workdir", None, "where results go (default: runs/NAME of the config)"
)
_MODE = flags.DEFINE_enum(
    "mode", "train", ["train", "evaluate"], "train and evaluate, or evaluate"
)


def main(argv):
    """Runs one fold; errors that a user can mend are one line."""
    if len(argv) > 1:
        _fail(f"unexpected argument {argv[1]!r}; options begin with --")
    logging.use_absl_handler()
    logs.plain(logging.get_absl_handler())
    # Imported here, so that --help and bad flags answer at once.
    from spheroid_jax import experiment, train

    try:
        config = experiment.resolve_config(_CONFIG.value, _WORKDIR.value)
        workdir = _WORKDIR.value or os.path.join("runs", config.name)
        run = {
            "train": experiment.train_fold,
            "evaluate": experiment.evaluate_fold,
        }[_MODE.value]
        run(config, _FOLD.value, workdir)
    except train.Interrupted as stopped:
        logging.info("%s; the same command goes on from there.", stopped)
        sys.exit(128 + signal.SIGINT)
    except experiment.USER_ERRORS as error:
        logging.debug("Where it happened:", exc_info=error)  # --verbosity=1
        _fail(error)


def _parse(argv):
    """Parses the flags; a misspelt key or a bad value is one line."""
    try:
        return flags.FLAGS(argv)
    except (flags.Error, AttributeError, KeyError, TypeError, ValueError) as e:
        text = e.args[0] if isinstance(e, KeyError) and e.args else e
        _fail(f"{' '.join(str(text).split())}")
    except OSError as error:
        _fail(error)


def _fail(message):
    print(f"launch.py: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    app.run(main, flags_parser=_parse)
