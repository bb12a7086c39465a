"""Leave-one-laboratory-out: what a laboratory gets that the model was not trained on.

    python -m benchmarks.leave_one_out --data DIR --work FOLDER

trains the recipe of configs/spheroid_base.py briefly, once with all laboratories that may train and
once without each of them, scores each model on the laboratory that was left out, and prints one
table. DIR is a folder as `benchmarks.sets` describes it. A training that was interrupted goes on,
and a finished one is not repeated. Flags of the form --config.KEY=VALUE are handed on to launch.py.

The model of the last step is scored, not that of the best checkpoint: validation looks at the
foreground alone, in which the initial model is good while its markers are still random.
"""

import argparse
import contextlib
import json
import pathlib
import sys

import numpy as np

from benchmarks import machine, sets, training_root
from benchmarks.model_card.numbers import cell, plain
from configs import spheroid_base
from spheroid_jax.commands import failures
from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import statistics
from spheroid_jax.evaluation.score import bodies, pixels, scoring, sources
from spheroid_jax.inference import model_file
from spheroid_jax.report import tables
from spheroid_jax.report.tables import Table
from spheroid_jax.runtime import cache, compilation, files
from spheroid_jax.training import checkpoint, folds, setup
from spheroid_jax.workdir import Workdir

NAME = "python -m benchmarks.leave_one_out"
CONFIG = "configs/spheroid_base.py"
ALL = "all"
# The model that the recipe starts from, and the laboratory that trained it.
START, START_LAB = "spheroid-small", "dataset1"
# What makes a training short, beside the number of steps: fewer images, and an average of weights
# that soon forgets the initial model, whose markers are random.
SHORT = {
    "synthetic.n_easy": 100,
    "synthetic.n_hard": 100,
    "synthetic.n_varied": 500,
    "synthetic.n_scenes": 1500,
    "data.crops": 150,
    "data.stream": "numpy",
    "train.average": 0.99,
}
_ROOT = pathlib.Path(__file__).resolve().parents[1]


class LeaveOutError(UserError, ValueError):
    """A training that failed, or a folder with trainings of other settings."""


def main(arguments=None):
    """Trains, scores, and prints the table; returns the exit status."""
    given, handed_on = _parser().parse_known_args(arguments)
    wrong = [word for word in handed_on if not word.startswith("--config.") or "=" not in word]
    if wrong:
        _parser().error(f"{wrong[0]}: neither an option nor of the form --config.KEY=VALUE")
    return failures.exit_status(NAME, _run, given, handed_on)


def _run(given, handed_on):
    compilation.keep_programs(cache.folder())
    work = given.work.resolve()
    chosen = sets.present(given.data, sets.SETS)
    scores = _Scores(work / "scores.json", given.data, given.every)
    labs = [lab for lab in sets.LABS if any(each.lab == lab for each in chosen)]
    about = {"steps": given.steps, "every": given.every, "flags": handed_on}
    about["machine"] = _machine()
    models = {"start": START}
    for lab in (None, *labs):
        models[lab or ALL] = trained(given.data, work, lab, given.steps, handed_on)
        found = [scores.of_set(each, models) for each in chosen]
        files.write_json(work / "leave_one_out.json", {"sets": found, **about})
        text = tables.markdown(table(found, given.steps))
        with files.replacing(work / "leave_one_out.md") as file:
            file.write(text + "\n")
    print(text)


def _machine():
    about = machine.describe()
    return {name: about[name] for name in ("date", "cpu", "cores", "python", "versions")}


def trained(data, work, lab, steps, handed_on=()):
    """Trains one model unless it is there; returns its folder.

    Args:
      data: folder with the sets of images.
      work: folder of roots, runs and models.
      lab: the laboratory that is left out; None for none.
      steps: number of steps.
      handed_on: flags for launch.py.

    Raises:
      LeaveOutError: the training failed, or the model that is there has other settings.
    """
    name = ALL if lab is None else f"without-{lab}"
    target = work / "models" / name
    command = train_command(work, name, steps, handed_on)
    if model_file.is_model(target):
        if model_file.provenance(target)["flags"] != _settings(command):
            raise LeaveOutError(f"{target} was trained with other settings; name another --work")
        return str(target)
    root = work / "roots" / name
    if not root.exists():
        training_root.assemble(data, root, without=lab)
    print(f"training {name} ...", file=sys.stderr, flush=True)
    launch(command, name)
    _export(work / "runs" / name, target, {"left_out": lab, "flags": _settings(command)})
    return str(target)


def train_command(work, name, steps, handed_on=()):
    """Returns the words of the command that trains one model."""
    config = spheroid_base.get_config()
    values = SHORT | {
        "train.samples_per_epoch": steps * config.train.batch_size,
        "train.validate_every": steps,
        "train.log_every": max(1, steps // 10),
        "optimizer.warmup": min(config.optimizer.warmup, steps // 5),
        "data.root": work / "roots" / name,
    }
    return [
        *(sys.executable, str(_ROOT / "launch.py"), f"--config={_ROOT / CONFIG}"),
        f"--workdir={work / 'runs' / name}",
        *(f"--config.{key}={value}" for key, value in values.items()),
        *handed_on,
    ]


def launch(command, name):
    """Runs a training in a process of its own, to which signals that ask to stop are passed on.

    Raises:
      LeaveOutError: the training failed.
      KeyboardInterrupt: a signal stopped the training, which has saved its last step.
    """
    batch_size = spheroid_base.get_config().train.batch_size
    # Stdout is for the table.
    with contextlib.redirect_stdout(sys.stderr):
        outcomes, stopped_by = folds.run(command, [0], batch_size=batch_size, devices_per_fold=0)
    if stopped_by:
        raise KeyboardInterrupt("stopped; the same command goes on from there")
    if problems := folds.problems(outcomes):
        raise LeaveOutError(f"training {name}: {problems[0]}; the same command tries again")


def _settings(command):
    """Returns the flags of a command that change its result."""
    free = ("--config.data.root=", "--config.data.cache=")
    return [word for word in command if word.startswith("--config.") and not word.startswith(free)]


def _export(run, target, provenance):
    """Writes the model of the last checkpoint of a run."""
    resolved = setup.resolve(None, run)
    with checkpoint.open_checkpoints(Workdir(run).fold(0).checkpoints) as saved:
        step = saved.latest_step()
        state = saved.restore(step, resolved.initial_state())
    model_file.save(resolved.model(state), target, provenance=provenance | {"step": step})


class _Scores:
    """Scores of models on sets, kept in a file, because scoring takes minutes."""

    def __init__(self, path, data, every):
        self._path, self._data, self._every = path, data, every
        self._kept = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def of_set(self, each, models):
        """Returns the numbers of one set: left out, in, and of the model that training began with.

        Args:
          each: `sets.Set`.
          models: dict from "start", `ALL` and a laboratory to the model without it; a laboratory
            that is not trained yet has none.
        """
        without = each.lab if each.trains else ALL
        return {
            "set": each.name,
            "lab": each.lab,
            "trains": each.trains,
            "many": each.many,
            "left_out": self._of(models[without], each) if without in models else None,
            "in": self._of(models[ALL], each) if each.trains else None,
            "start": self._of(models["start"], each),
        }

    def _of(self, model, each):
        key = f"{model_file.digest(model)} {each.name} {self._every}"
        if key not in self._kept:
            self._kept[key] = plain(score(model, sets.pairs(self._data, each, self._every), each))
            files.write_json(self._path, self._kept)
        return self._kept[key]


def score(model, pairs, each):
    """Scores a model on a set: F of the largest body, or F1 at an IoU of 0.5 where bodies are many.

    Args:
      model: as for `model_file.load`.
      pairs: the images.
      each: `sets.Set`.
    """
    rules = bodies.rules() if each.many else pixels.rules()
    words = [f"model={model}"]
    [source] = sources.open_sources(words, pairs, rules, missing_are_empty=False)
    [row] = scoring.score(source, pairs, rules)
    values = rules.ranks(row.scores)
    groups = [pair.group for pair in pairs]
    mean, low, high = statistics.interval(values[np.newaxis], groups)
    return {
        "images": len(pairs),
        "groups": len(set(groups)),
        "score": rules.first_heading,
        "mean": mean,
        "low": low,
        "high": high,
        "worst": values.min(),
    }


def table(found, steps):
    """Makes the table: the laboratories that are left out in turn, then those that never train.

    Args:
      found: list of dicts, as returned by `_Scores.of_set`.
      steps: number of steps of each training.
    """
    rows = []
    labs = [*sets.LABS, *(each["lab"] for each in found if not each["trains"])]
    for each in sorted(found, key=lambda each: labs.index(each["lab"])):
        own = f" (has trained {START})" if each["lab"] == START_LAB else ""
        about, left_out = each["start"], each["left_out"] or {}
        rows.append(
            [
                each["lab"] + own,
                each["set"],
                f"{about['images']} ({about['groups']})",
                about["score"],
                cell(left_out.get("mean")),
                _interval(left_out),
                cell(left_out.get("worst")),
                cell(each["in"]["mean"]) if each["in"] else "never trains",
                cell(about["mean"]),
            ]
        )
    title = (
        f"Short trainings of {CONFIG} from {START}, {steps} steps each. Left out: a training "
        "without the laboratory. In: the training with all that may train, of whose images two "
        "thirds were trained on"
    )
    headings = ["laboratory", "set", "images (groups)", "score"]
    headings += ["left out", "95 % interval", "worst image", "in", START]
    return Table(title, headings, rows)


def _interval(found):
    if found.get("low") is None:
        return "none"
    return f"{100 * found['low']:.1f} to {100 * found['high']:.1f}"


def _parser():
    parser = argparse.ArgumentParser(
        prog=NAME,
        description="Trains without each laboratory in turn, and scores what was left out. Flags "
        "of the form --config.KEY=VALUE are handed on to launch.py.",
        allow_abbrev=False,
    )
    parser.add_argument("--data", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--work", type=pathlib.Path, required=True, metavar="FOLDER")
    parser.add_argument("--steps", type=int, default=500, help="per training (%(default)s)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="scores every n-th image")
    return parser


if __name__ == "__main__":
    sys.exit(main())
