"""Trains and evaluates one fold, or all five.

    python launch.py --config=configs/adver.py --fold=2
    python launch.py --config=configs/adver.py --fold=all

Any value of the config can be overridden: --config.data.root=DIR,
--config.model.width=16. The same command goes on where an interrupted one
stopped, and skips what is finished. --mode=evaluate scores a trained fold
again. A config of several variants trains all of them.
"""

import os
import sys

from absl import app, flags, logging
from ml_collections import config_flags

from spheroid_jax.commands import failures
from spheroid_jax.errors import UserError
from spheroid_jax.runtime import logs
from spheroid_jax.workdir import Workdir

_CONFIG = config_flags.DEFINE_config_file("config", None, "the settings: a file of configs/")
_FOLD = flags.DEFINE_string("fold", "0", "which partition validates: 0 to 4, or all")
_WORKDIR = flags.DEFINE_string(
    "workdir", None, "where results go (default: runs/NAME of the config)"
)
_MODE = flags.DEFINE_enum("mode", "train", ["train", "evaluate"], "train and evaluate, or evaluate")


def main(argv):
    """Runs one fold or all of them; exits with what became of them."""
    if len(argv) > 1:
        _fail(f"unexpected argument {argv[1]!r}; options begin with --")
    logging.use_absl_handler()
    logs.plain(logging.get_absl_handler())
    sys.exit(failures.exit_status("launch.py", _run))


def _run():
    """Runs what the flags ask for; returns the exit status."""
    # Imported here, so that --help and bad flags answer at once.
    try:
        from spheroid_jax.training import fold, loop
        from spheroid_jax.training.setup import resolve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("spheroid_jax"):
            raise
        raise MissingPackage(
            f"training needs {error.name}: pip install -r requirements.txt, or pip install "
            '"spheroid-jax[train]"'
        ) from error
    config = _load_config()
    if config is not None and "variants" in config:
        return _run_study(config)
    setup = resolve(config, _WORKDIR.value)
    if _FOLD.value == "all":
        if failed := _run_folds(setup.batch_size, setup.devices, sys.argv):
            raise FoldsFailed(f"{failed} of the folds failed; see above")
        return 0
    run = {"train": fold.train, "evaluate": fold.evaluate}[_MODE.value]
    try:
        run(setup, _fold_number(), Workdir(_WORKDIR.value or os.path.join("runs", setup.name)))
    except loop.Interrupted as stopped:
        logging.info("%s; the same command goes on from there.", stopped)
        return 128 + stopped.reason
    return 0


class MissingPackage(UserError):
    """A package that training needs is not installed."""


class FoldsFailed(UserError):
    """Some of the folds failed, each with its own message."""


def _run_study(config):
    """Trains each variant of a config in a folder of its own; reports; returns the status."""
    from spheroid_jax.evaluation.compare import study

    file = config_flags.get_config_filename(flags.FLAGS["config"])
    workdir = _WORKDIR.value or os.path.join("runs", config.name)
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


def _without_config(argv):
    """The arguments without --config, which may not be given twice."""
    rest, words = [], iter(argv)
    for word in words:
        if word in ("--config", "-config"):
            next(words)  # Its value.
        elif not word.startswith(("--config=", "-config=")):
            rest.append(word)
    return rest


def _run_folds(batch_size, devices, argv):
    """Runs a command once per fold; exits where a signal asked to stop.

    Args:
      batch_size: images per step.
      devices: how many devices share a batch; 0 for as many as divide it.
      argv: this command's arguments.

    Returns:
      How many folds failed.
    """
    from spheroid_jax.training import folds

    outcomes, stopped_by = folds.run(
        [sys.executable, *argv],
        folds.ALL if _FOLD.value == "all" else [_fold_number()],
        batch_size=batch_size,
        devices_per_fold=devices,
    )
    problems = folds.problems(outcomes, stopped_by)
    for line in problems:
        logging.info("%s", line)
    if stopped_by:
        logging.info("The same command goes on from there.")
        sys.exit(128 + stopped_by)
    return len(problems)


def _fold_number():
    if not _FOLD.value.isdecimal():
        _fail(f"--fold={_FOLD.value}: there are the folds 0 to 4, and all")
    return int(_FOLD.value)


def _parse(argv):
    """Parses the flags; a misspelt key or a bad value is one line."""
    try:
        return flags.FLAGS(argv)
    except (flags.Error, TypeError, ValueError) as error:
        _fail(" ".join(str(error).split()))
    except (AttributeError, KeyError) as error:
        _fail(_no_such_key(argv, str(error.args[0] if error.args else error)))


def _no_such_key(argv, text):
    """Words what ml_collections says of an unknown key, naming the flag."""
    words = text.replace("\\", "").replace('"', "'").split("'")
    misspelt = next((word for word in words if word.strip()), "")
    flag = next((a for a in argv[1:] if f".{misspelt}" in a), misspelt)
    message = f"{flag.partition('=')[0]}: the config has no such key"
    _, _, hint = text.partition("Did you mean ")
    return message + (f"; did you mean {hint.split()[0]}?" if hint else "")


def _load_config():
    """Returns the config of --config, or None."""
    try:
        config = _CONFIG.value
        if config is not None:
            config.to_dict()  # Fails here if the file could not be loaded.
        return config
    # A config file is a program: it can fail in any way.
    except Exception as error:
        reason = str(error).strip().splitlines()[-1].strip()
        _fail(f"--config cannot be loaded: {reason}")


def _fail(message):
    failures.complain("launch.py", message)
    sys.exit(failures.REFUSED)


if __name__ == "__main__":
    app.run(main, flags_parser=_parse)
