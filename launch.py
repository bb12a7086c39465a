"""Trains and evaluates one fold, or all five.

    python launch.py --config=configs/adver.py --fold=2
    python launch.py --config=configs/adver.py --fold=all

A flag can replace any value of the config: --config.data.root=DIR, --config.model.width=16. After
an interruption, the same command resumes training and skips finished folds. --mode=evaluate scores
a trained fold again. If a config has several variants, all of them are trained.
"""

import os
import sys
import traceback

from spheroid_jax.commands import failures
from spheroid_jax.errors import UserError
from spheroid_jax.runtime import extras, logs
from spheroid_jax.workdir import FOLDS, Workdir

try:
    with extras.needed("training", "train"):
        from absl import app, flags, logging
        from ml_collections import config_flags
except extras.MissingPackage as missing:
    failures.complain("launch.py", missing)
    sys.exit(failures.REFUSED)

_CONFIG = config_flags.DEFINE_config_file("config", None, "settings of the training: configs/*.py")
_FOLD = flags.DEFINE_string("fold", "0", "partition for validation: 0 to 4, or all")
_WORKDIR = flags.DEFINE_string(
    "workdir", None, "folder of the results (default: runs/NAME, where NAME is the config's name)"
)
_MODE = flags.DEFINE_enum(
    "mode", "train", ["train", "evaluate"], "train and evaluate, or evaluate only"
)


class LaunchError(UserError):
    """Flags that cannot be used, or folds that failed."""


def main(argv):
    """Trains or evaluates as the flags say, and exits with the exit status."""
    logging.use_absl_handler()
    logs.plain(logging.get_absl_handler())
    sys.exit(failures.exit_status("launch.py", _run, argv[1:]))


def _run(words):
    """Trains or evaluates as the flags say; returns the exit status."""
    if words:
        raise LaunchError(f"unexpected argument {words[0]!r}; options begin with --")
    # Imported here, so that --help and bad flags answer at once.
    with extras.needed("training", "train"):
        from spheroid_jax.training import fold, loop, setup
    config = _load_config()
    if config is not None and "variants" in config:
        return _run_study(config)
    resolved = setup.resolve(config, _WORKDIR.value)
    if _FOLD.value == "all":
        if failed := _run_folds(resolved.batch_size, resolved.devices, sys.argv):
            raise LaunchError(f"{failed} of the folds failed; see above")
        return 0
    run = {"train": fold.train, "evaluate": fold.evaluate}[_MODE.value]
    try:
        run(resolved, _fold_number(), Workdir(_WORKDIR.value or _default(resolved.name)))
    except loop.Interrupted as stopped:
        logging.info("%s; the same command goes on from there.", stopped)
        return 128 + stopped.reason
    return 0


def _run_study(config):
    """Trains each variant of a config in its own work directory, and prints the report."""
    from spheroid_jax.evaluation.compare import study

    file = config_flags.get_config_filename(flags.FLAGS["config"])
    workdir = _WORKDIR.value or _default(config.name)
    for name in config.variants:
        _run_folds(
            config.train.batch_size,
            config.train.devices,
            [
                sys.argv[0],
                f"--config={file}:{name}",
                *_without_config(sys.argv[1:]),
                f"--workdir={os.path.join(workdir, name)}",
            ],
        )
    print(study.write(workdir, config.variants))
    return 0


def _default(name):
    """Returns the default work directory of a config."""
    return os.path.join("runs", name)


def _without_config(argv):
    """Returns the arguments without --config, which must not be given twice."""
    rest, words = [], iter(argv)
    for word in words:
        if word in ("--config", "-config"):
            next(words)  # The value of --config.
        elif not word.startswith(("--config=", "-config=")):
            rest.append(word)
    return rest


def _run_folds(batch_size, devices, argv):
    """Runs this command once per fold; exits if a signal has asked to stop.

    Args:
      batch_size: images per step.
      devices: number of devices that share a batch; 0 for as many as divide the batch.
      argv: the words of the command.

    Returns:
      The number of folds that failed.
    """
    from spheroid_jax.training import folds

    outcomes, stopped_by = folds.run(
        [sys.executable, *argv],
        folds.ALL if _FOLD.value == "all" else [_fold_number()],
        batch_size=batch_size,
        devices_per_fold=devices,
    )
    problems = folds.problems(outcomes)
    for line in problems:
        logging.info("%s", line)
    if stopped_by:
        logging.info("The same command goes on from there.")
        sys.exit(128 + stopped_by)
    return len(problems)


def _fold_number():
    if not _FOLD.value.isdecimal():
        raise LaunchError(f"--fold={_FOLD.value}: there are the folds 0 to {FOLDS - 1}, and all")
    return int(_FOLD.value)


def _parse(argv):
    """Parses the flags; for a misspelt key or a bad value, prints one line on stderr and exits."""
    try:
        return flags.FLAGS(argv)
    except (flags.Error, TypeError, ValueError) as error:
        message = " ".join(str(error).split())
    except (AttributeError, KeyError) as error:
        message = _no_such_key(argv, str(error.args[0] if error.args else error))
    # A config file is a program of the user, which can raise any exception.
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = (
            f"--config cannot be loaded: {type(error).__name__}: {error} "
            f"({place.filename}, line {place.lineno})"
        )
    failures.complain("launch.py", message)
    sys.exit(failures.REFUSED)


def _no_such_key(argv, text):
    """Returns a message that names the flag, for ml_collections' message about an unknown key."""
    words = text.replace("\\", "").replace('"', "'").split("'")
    misspelt = next((word for word in words if word.strip()), "")
    flag = next((a for a in argv[1:] if f".{misspelt}" in a), misspelt)
    message = f"{flag.partition('=')[0]}: the config has no such key"
    _, _, hint = text.partition("Did you mean ")
    return message + (f"; did you mean {hint.split()[0]}?" if hint else "")


def _load_config():
    """Returns the config that --config names, or None."""
    try:
        config = _CONFIG.value
        if config is not None:
            config.to_dict()  # Raises the error of a config file that could not be loaded.
        return config
    # As in `_parse`: some errors of a config file are raised only now.
    except Exception as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise LaunchError(f"--config cannot be loaded: {reason}") from error


if __name__ == "__main__":
    app.run(main, flags_parser=_parse)
