"""Part `cost`: time and memory of one process that segments.

    python -m benchmarks.model_card.cost MODEL FOLDER

is that process: it loads MODEL, segments FOLDER/one.npy and FOLDER/many.npy, and prints its numbers
as JSON. `measure` draws the images and starts it.
"""

import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

from benchmarks import workers
from benchmarks.model_card.numbers import cell
from spheroid_jax.report.tables import Table

ONE_SIDE, MANY_SIDE = 1080, 1024
MANY = (70, 90)  # bodies in the frame of many
_ONE_CALLS, _MANY_CALLS = 15, 5
_FIRST_SEED = 909_000_000  # numbers of scenes; those of training begin at 0 and 3,000,000
_ROOT = pathlib.Path(__file__).resolve().parents[2]


def frames():
    """Draws the frame of one body, and a crowd; returns both with the number of bodies."""
    from spheroid_jax.synthetic import scenes, spheroids

    one, _ = spheroids.make_image("easy", 0, seed=909, size=ONE_SIDE)
    for seed in itertools.count(_FIRST_SEED):
        # The number of bodies hardly depends on the size, and a small frame is drawn sooner.
        if MANY[0] <= scenes.draw_scene(seed, MANY_SIDE // 4, "crowd").labels.max() <= MANY[1]:
            scene = scenes.draw_scene(seed, MANY_SIDE, "crowd")
            return one, scene.image, int(scene.labels.max())
    raise AssertionError("there are scenes without end")


def measure(given):
    """Runs the process.

    Args:
      given: `settings.Given`.

    Returns:
      dict of seconds, bytes and numbers.
    """
    one, many, bodies = frames()
    place = pathlib.Path(given.model)
    model = str(place.resolve()) if place.exists() else given.model
    with tempfile.TemporaryDirectory() as folder:
        np.save(pathlib.Path(folder, "one.npy"), one)
        np.save(pathlib.Path(folder, "many.npy"), many)
        command = [sys.executable, "-m", "benchmarks.model_card.cost", model, folder]
        done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1]) | {
        "true_bodies": bodies,
        "load_average": os.getloadavg()[0],
        "every": given.every,
    }


def work(model, folder, *, calls=(_ONE_CALLS, _MANY_CALLS)):
    """Segments as a user's script does; returns its numbers."""
    begin = time.perf_counter()
    import spheroid_jax as sj
    from spheroid_jax.inference import model_file

    imported = time.perf_counter()
    params = sj.load(model)
    loaded = time.perf_counter()
    one, many = (np.load(pathlib.Path(folder, f"{name}.npy")) for name in ("one", "many"))
    first = _timed(lambda: sj.segment(params, one))
    one_s = [_timed(lambda: sj.segment(params, one)) for _ in range(calls[0])]
    one_peak = workers.process_peak_bytes()
    found = len(sj.segment_objects(params, many).confidence)
    many_s = [_timed(lambda: sj.segment_objects(params, many)) for _ in range(calls[1])]
    weights = [each for each in model_file.folders(model) for each in each.glob("weights-*.npz")]
    return {
        "import_s": imported - begin,
        "load_s": loaded - imported,
        "first_call_s": first,
        "one_s": one_s,
        "many_s": many_s,
        "found_bodies": found,
        "one_peak_bytes": one_peak,
        "peak_bytes": workers.process_peak_bytes(),
        "weights_bytes": sum(each.stat().st_size for each in weights),
        "parameters": _parameters(params),
    }


def _timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _parameters(params):
    import jax

    leaves = (jax.tree.leaves(member.variables["params"]) for member in params.members)
    return sum(leaf.size for leaf in itertools.chain.from_iterable(leaves))


def tables(found):
    """Makes the table of what `measure` returned."""
    one, many = np.array(found["one_s"]), np.array(found["many_s"])
    rows = [
        [f"{ONE_SIDE} x {ONE_SIDE} px, one body: segment", _seconds(one)],
        [
            f"{MANY_SIDE} x {MANY_SIDE} px, {found['true_bodies']} bodies "
            f"({found['found_bodies']} found): segment_objects",
            _seconds(many),
        ],
        ["import", f"{found['import_s']:.1f} s"],
        ["loading", f"{found['load_s']:.1f} s"],
        ["first call (compiles)", f"{found['first_call_s']:.1f} s"],
        ["peak memory after the images of one body", f"{found['one_peak_bytes'] / 1e9:.2f} GB"],
        ["peak memory in the end", f"{found['peak_bytes'] / 1e9:.2f} GB"],
        ["weights", f"{found['weights_bytes'] / 1e6:.1f} MB"],
        ["parameters", cell(found["parameters"], scale=1, digits=0)],
    ]
    title = (
        "Time and memory of one process; median and range of "
        f"{len(one)} and {len(many)} calls; load of the machine {found['load_average']:.1f}"
    )
    return [Table(title, ["what", "measured"], rows)]


def _seconds(values):
    return f"{np.median(values):.3f} s ({values.min():.3f} to {values.max():.3f})"


if __name__ == "__main__":
    print(json.dumps(work(*sys.argv[1:])))
