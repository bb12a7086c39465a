"""Part `worst`: scores and the worst of images that were drawn by a seed of their own.

Drawn images may be shown anywhere. The parts `one-body` and `instances` write the worst real images
in the same style.
"""

from benchmarks.model_card.numbers import cell, plain
from spheroid_jax.data import folder
from spheroid_jax.evaluation.score import bodies, outputs, pixels, scoring, sources, targets
from spheroid_jax.report import figures
from spheroid_jax.report.tables import Table
from spheroid_jax.synthetic import data_root

SEED = 909
COUNTS = {"n_easy": 40, "n_hard": 40, "n_varied": 200, "n_scenes": 100}


def measure(given):
    """Draws images, scores them, and shows the worst in worst.png.

    Args:
      given: `settings.Given`.

    Returns:
      list with the numbers of each kind.
    """
    counts = {name: given.count(number) for name, number in COUNTS.items()}
    place = given.out / "drawn" / "-".join(map(str, counts.values()))
    root = data_root.write_data_root(place, **counts, seed=SEED)
    names = {there: kind for kind, there in data_root.DATASETS.items()}
    pairs, problems = folder.find_pairs(root, list(names))
    if problems:
        raise folder.DataRootError(root, problems)
    pairs = [pair._replace(dataset=names[pair.dataset]) for pair in pairs]
    scenes = [pair for pair in pairs if pair.dataset == "scenes"]
    others = [pair for pair in pairs if pair.dataset != "scenes"]
    found, tiles = [], []
    for some, rules in ((others, pixels.rules()), (scenes, bodies.rules())):
        [source] = sources.open_sources(
            [f"{given.name}={given.model}"], some, rules, missing_are_empty=False
        )
        [row] = scoring.score(source, some, rules)
        tiles += outputs.worst(row, some, rules)
        for name in targets.datasets_of(some):
            at = [n for n, pair in enumerate(some) if pair.dataset == name]
            scores = rules.ranks(row.scores[at])
            found.append(
                {
                    "kind": name,
                    "score": rules.first_heading,
                    "images": len(at),
                    "mean": scores.mean(),
                    "worst": scores.min(),
                }
            )
    figures.contact_sheet(
        given.out / "worst.png",
        tiles,
        columns=outputs.COLUMNS,
        title=f"{given.name}: the worst drawn images of each kind. Orange: truth, blue: prediction",
    )
    return plain(found)


def tables(found):
    """Makes the table of what `measure` returned."""
    rows = [
        [
            each["kind"],
            cell(each["images"], scale=1, digits=0),
            each["score"],
            cell(each["mean"]),
            cell(each["worst"]),
        ]
        for each in found
    ]
    title = f"Drawn images of a seed of their own ({SEED}); percent"
    return [Table(title, ["kind", "images", "score", "mean", "worst"], rows)]
