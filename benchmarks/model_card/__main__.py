"""Command line of the model card's numbers."""

import argparse
import json
import pathlib
import sys
import time

from benchmarks import machine
from benchmarks.model_card import cores, cost, discs, empties, goals, instances, one_body, worst
from benchmarks.model_card.settings import Given
from spheroid_jax.commands import failures
from spheroid_jax.errors import UserError
from spheroid_jax.inference import model_file
from spheroid_jax.report import tables
from spheroid_jax.runtime import cache, compilation, files

NAME = "python -m benchmarks.model_card"
PARTS = {
    "one-body": one_body,
    "instances": instances,
    "empties": empties,
    "discs": discs,
    "cores": cores,
    "cost": cost,
    "worst": worst,
}
JSON, MARKDOWN = "card.json", "card.md"


class CardError(UserError, ValueError):
    """Results that cannot be added to those of a folder; the message says why."""


def main(arguments=None):
    """Measures the parts that are asked for; returns the exit status."""
    given = _parser().parse_args(arguments)
    return failures.exit_status(NAME, _run, given)


def _run(words):
    given = Given(words.model, words.data, words.out, words.every)
    card = begin(given)
    compilation.keep_programs(cache.folder())
    for name in words.parts:
        print(f"{name} ...", file=sys.stderr, flush=True)
        start = time.perf_counter()
        found = PARTS[name].measure(given)
        card["machine"] = machine.describe()
        card["parts"][name] = {
            "found": found,
            "every": given.every,
            "seconds": time.perf_counter() - start,
            "date": card["machine"]["date"],
        }
        # After each part, because a run may take an hour.
        files.write_json(given.out / JSON, card)
        with files.replacing(given.out / MARKDOWN) as file:
            file.write(render(card) + "\n")
    print(render(card))


def begin(given):
    """Returns the results that a folder has of this model, or results without a part.

    Raises:
      CardError: the folder has results of other weights, or a damaged file.
    """
    # Ensembles have a hash per member.
    hashes = [model_file.digest(each) for each in model_file.folders(given.model)]
    card = {"model": given.name, "sha256": hashes, "parts": {}}
    path = given.out / JSON
    if not path.exists():
        return card
    try:
        before = json.loads(path.read_text("utf-8"))
        same = before["sha256"] == hashes
    except (ValueError, KeyError, TypeError) as error:
        raise CardError(f"{path}: damaged ({error}); remove it or name another --out") from error
    if not same:
        raise CardError(f"{path} has the numbers of other weights; name another --out")
    return before


def render(card):
    """Returns all tables as Markdown, in the order of the parts."""
    about = card["machine"]
    versions = ", ".join(
        f"{name} {version}" for name, version in about["versions"].items() if version
    )
    lines = [
        f"{card['model']}, SHA-256 {', '.join(each[:12] for each in card['sha256'])}. "
        f"{about['date']}: {about['cores']} cores, {about['cpu']}, {about['memory_gb']} GB, "
        f"Python {about['python']}, {versions}."
    ]
    judged = goals.judge({name: part["found"] for name, part in card["parts"].items()})
    if judged:
        lines += ["### Goals", tables.markdown(goals.table(judged))]
    for name, part in PARTS.items():
        if name in card["parts"]:
            measured = card["parts"][name]
            every = f", one of {measured['every']} images" if measured["every"] > 1 else ""
            lines.append(f"### {name}\n\n{measured['date']}, {measured['seconds']:.0f} s{every}")
            lines += map(tables.markdown, part.tables(measured["found"]))
    return "\n\n".join(lines)


def _parser():
    parser = argparse.ArgumentParser(prog=NAME, description="Measures the numbers of a model card.")
    parser.add_argument("--model", required=True, help="name of a packaged model, or a folder")
    parser.add_argument("--data", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FOLDER")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--every", type=_positive, default=1, metavar="N", help="(%(default)s)")
    return parser


def _positive(text):
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main())
