"""The command `python -m benchmarks`: measures, and writes numbers and tables."""

import argparse
import json
import pathlib
import sys

import jax
import numpy as np

from benchmarks import accelerator, choices, data, machine, measuring, network, scaling, tables

_DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs" / "evidence"
_PARTS = (
    "network",
    "convolutions",
    "products",
    "memory",
    "data",
    "scaling",
    "starts",
    "measure",
    "accelerator",
)
# Task, width, images per batch, rounds.
_CASES = (
    ("forward", 60, 1, 9),
    ("forward", 16, 1, 25),
    ("forward", 60, 4, 5),
    ("forward", 16, 4, 11),
    ("gradient", 60, 1, 7),
    ("gradient", 16, 1, 25),
    ("gradient", 60, 4, 3),
    ("gradient", 16, 4, 11),
    ("step", 60, 1, 7),
    ("step", 16, 1, 21),
)
# Largest ratio to PyTorch's time that --check accepts; above the targets, because times are noisy.
_MARGIN = 1.5


def main():
    """Runs the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=_PARTS,
        help="parts to measure; earlier results of other parts are kept (default: all parts that "
        "this machine can run)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="only check, in two minutes, whether anything has become much slower than PyTorch; "
        "writes nothing, and exits with 1 if so",
    )
    parser.add_argument("--width", type=int, default=60, help="width of the accelerator's network")
    given = parser.parse_args()
    return _check() if given.check else _run(given.parts, given.width)


def _check():
    met = True
    for task, count in (("forward", 15), ("gradient", 9), ("step", 9)):
        case = network.measure(task=task, width=16, count=1, rounds=count)
        ratio = float(np.median(tables.ratios(case, "PyTorch")))
        fine = ratio <= _MARGIN
        met = met and fine
        print(
            f"{task}, width 16: {ratio:.2f} x PyTorch's time (at most "
            f"{_MARGIN}): {'fine' if fine else 'SLOWER'}",
            flush=True,
        )
    return 0 if met else 1


def _run(parts, width):
    path = _DOCS / "performance.json"
    results = json.loads(path.read_text("utf-8")) if parts else {}
    if parts is None:
        on_cpu = jax.default_backend() == "cpu"
        parts = [p for p in _PARTS if not (on_cpu and p == "accelerator")]
    results["machine"] = machine.describe()
    for part in parts:
        print(f"{part} ...", file=sys.stderr, flush=True)
        results[part] = _MEASURE[part](width)
        # Written after each part, so that an interruption loses no measured part.
        path.write_text(json.dumps(_short(results), indent=1) + "\n", "utf-8")
    results = json.loads(path.read_text("utf-8"))
    document = _DOCS / "performance.md"
    document.write_text(tables.replace_measured(document.read_text("utf-8"), results), "utf-8")
    for met, sentence in tables.verdicts(results):
        print(f"{'met   ' if met else 'MISSED'} {sentence}")
    return 0


def _network(width):
    del width
    cases = []
    for task, of_width, count, rounds in _CASES:
        print(f"  {task}, width {of_width}, batch {count}", file=sys.stderr)
        cases.append(network.measure(task=task, width=of_width, count=count, rounds=rounds))
    return cases


def _data(width):
    del width
    return {
        "pipeline": data.input_pipeline(),
        "post_processing": data.post_processing(),
        "files": {str(w): data.files_to_masks(width=w) for w in (60, 16)},
    }


def _starts(width):
    seconds = {
        f"{name} start to the first step done, width {width}": value
        for name, value in scaling.starts(width).items()
    }
    for where, each in choices.loop().items():
        name = f"a step {where}, width 16, 240 px"
        seconds[name] = float(np.median(each))
    for who, value in choices.initialisation().items():
        seconds[f"initial parameters, {who}"] = value
    return seconds


def _accelerator(width):
    return {
        "device": jax.devices()[0].device_kind,
        "inference": accelerator.inference(width=width),
        "fold_minutes": accelerator.fold_minutes(width=width),
        "folds_at_once": accelerator.folds_at_once(width=width),
    }


_MEASURE = {
    "network": _network,
    "convolutions": lambda width: choices.convolutions(),
    "products": lambda width: choices.products(),
    "memory": lambda width: choices.temporary_memory(),
    "data": _data,
    "scaling": lambda width: scaling.measure(),
    "starts": _starts,
    "measure": lambda width: measuring.measure(),
    "accelerator": _accelerator,
}


def _short(value):
    """Rounds all numbers of a result to four digits, which are more than a timing has."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {str(key): _short(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(each) for each in value]
    return value


if __name__ == "__main__":
    sys.exit(main())
