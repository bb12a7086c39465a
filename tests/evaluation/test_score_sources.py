"""Sources of masks that are scored: folders, models, thresholds, and what is refused."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT, a_run, thresholding, write_root
from PIL import Image
from scored import SHAPE, TRUTH, add, by_image, numbers, run, save

import spheroid_jax as sj
from spheroid_jax import images
from spheroid_jax.commands import score as command
from spheroid_jax.data import folder
from spheroid_jax.evaluation import metrics
from spheroid_jax.evaluation.score import pixels, scoring
from spheroid_jax.inference import conventional, model_file, pretrained

# Each test has a folder of its own, in which the command runs.
pytestmark = pytest.mark.usefixtures("here")


def one_line(capsys, *arguments):
    assert command.main([*map(str, arguments)]) == 2
    error = capsys.readouterr().err
    assert error.splitlines()[-1].startswith("spheroid score: ")
    assert "Traceback" not in error
    return error.splitlines()[-1]


def test_missing_masks_are_counted_and_refused(root, tool, here, capsys):
    for n in range(4):
        add(root / "easy", f"more_{n}", TRUTH)
    error = one_line(capsys, root, tool)
    assert "tool: 4 of 7 masks missing: easy/more_0, easy/more_1, " in error
    assert "easy/more_3" not in error and "--missing=zero" in error


def test_missing_masks_can_score_as_empty(root, tool, here, capsys):
    (tool / "easy" / "a.png").unlink()
    row = by_image(run(root, tool, "--missing=zero"), "tool")["a"]
    assert float(row["f_score"]) == float(row["recall"]) == 0
    assert "scored as empty: tool 1" in capsys.readouterr().out
    assert "tool 1" in (here / "scores" / "table.tex").read_text()


def test_a_folder_of_other_things_is_refused_even_so(root, here, capsys):
    (here / "empty").mkdir()
    error = one_line(capsys, root, "empty", "--missing=zero")
    assert "empty: no mask of any image" in error and "deep/hard/c" in error


def test_a_stem_of_two_datasets_needs_a_folder(root, here, capsys):
    add(root / "deep" / "hard", "a", TRUTH)
    for stem in "abc":
        save(here / "loose" / f"{stem}.png", TRUTH)
    error = one_line(capsys, root, "loose", "--missing=zero")
    assert "a.png: several datasets have an image of this stem" in error


def test_two_masks_of_an_image_are_refused(root, tool, capsys):
    save(tool / "easy" / "a.tif", TRUTH)
    assert "same stem as a.png" in one_line(capsys, root, tool)


def test_a_mask_of_another_size_is_one_line(root, tool, capsys):
    save(tool / "easy" / "b.png", TRUTH[:, :70])
    error = one_line(capsys, root, tool)
    assert "tool: mask of easy/b has 70 x 40 px, and the truth 80 x 40" in error


def test_what_is_no_mask_is_one_line(root, tool, capsys):
    gray = Image.fromarray(np.arange(3200, dtype=np.uint16).reshape(SHAPE))
    gray.save(tool / "easy" / "b.png")
    assert "b.png: not a mask of two values" in one_line(capsys, root, tool)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "tool"], "nowhere: no such folder"),
        (["tool", "tool"], "tool: no dataset there"),
        (["root", "nowhere"], "nowhere: no model here"),
        (["root", "tool", "tool"], "2 rows are named 'tool'; NAME=SOURCE"),
        (["root", "otsu=tool", "conventional"], "rows are named 'otsu'"),
        (["root", "=tool"], "expected NAME=SOURCE"),
        (["root", "a/b=tool"], "expected NAME=SOURCE"),
    ],
)
def test_what_cannot_be_scored_is_one_line(tool, capsys, arguments, words):
    assert words in one_line(capsys, *arguments)


def test_an_image_without_truth_is_refused(root, tool, capsys):
    (root / "easy" / "masks" / "b.png").unlink()
    assert command.main([str(root), str(tool)]) == 2
    assert "b.png: no mask" in capsys.readouterr().err


def test_rows_are_named(root, tool, here):
    shutil.copytree(tool, here / "a=b")
    sources = [f"first={tool}", tool, "a=b", "second=a=b", "t=conventional"]
    rows = run(root, *sources)
    assert {row["source"] for row in rows} >= {"first", "tool", "a=b", "second", "t otsu", "t li"}


def test_a_models_masks_are_those_of_segment(here):
    root = write_root(here / "root", {"d1": 3, "d2": 2}, size=60)
    model = thresholding()
    a_run(here / "run", [model] * 5)
    model_file.save(model, pretrained.folder("small"), provenance={})
    rows = run(root, "run/fold_2", "ensemble=run", "small")
    assert {r["source"] for r in rows} == {"fold_2", "ensemble", "small"}
    pairs, _ = folder.find_pairs(root, ["d1", "d2"])
    for source in ("fold_2", "ensemble", "small"):
        own = by_image(rows, source)
        for pair in pairs:
            found = sj.segment(model, images.read_image(pair.image)).mask
            expected = metrics.agreement(found, images.read_mask(pair.mask))
            expected = expected._replace(
                hausdorff95_px=8 * expected.hausdorff95_px  # Of 60 px.
            )
            assert tuple(numbers(own[pair.stem]).values()) == pytest.approx(expected, abs=1e-6)
            assert expected.f_score > 0.9


@pytest.mark.parametrize("source", ["model", "conventional"])
def test_an_image_that_a_tool_cannot_use_is_a_missing_mask(root, here, capsys, source):
    model_file.save(thresholding(), here / "model", provenance={})
    add(root / "easy", "flat", TRUTH, image=np.full(SHAPE, 7))
    error = one_line(capsys, root, source)
    assert f"{source}: no mask of easy/flat (" in error
    assert "same value" in error and "--missing=zero" in error
    rows = run(root, source, "--missing=zero")
    assert {float(row["f_score"]) for row in rows if row["image"] == "flat"} == {0}


def test_each_threshold_is_a_row_computed_once_an_image(here, monkeypatch):
    root = write_root(here / "root", {"d1": 3, "d2": 2}, size=60)
    calls = []
    segment = conventional.segment

    def counted(gray, method):
        calls.append(method)
        return segment(gray, method)

    monkeypatch.setattr(conventional, "segment", counted)
    rows = run(root, "conventional")
    assert sorted(calls) == sorted([*conventional.THRESHOLDS] * 5)
    assert [row["source"] for row in rows[::5]] == [
        *conventional.THRESHOLDS,
        "best of 5 thresholds",
    ]
    pairs, _ = folder.find_pairs(root, ["d1", "d2"])
    own = by_image(rows, "li")
    for pair in pairs:
        mask = segment(images.read_gray(pair.image), "li")
        expected = metrics.agreement(mask, images.read_mask(pair.mask))
        f_score = float(own[pair.stem]["f_score"])
        assert f_score == pytest.approx(expected.f_score, abs=1e-6)


def row_of(label, f_scores):
    scores = np.zeros((len(f_scores), len(metrics.Agreement._fields)))
    scores[:, metrics.Agreement._fields.index("f_score")] = f_scores
    packed = [scoring.Packed((1, 1), label.encode())] * len(f_scores)
    return scoring.Row(label, scores, packed, 0)


def test_the_best_threshold_is_chosen_by_other_groups():
    groups = [("d", "w1"), ("d", "w1"), ("d", "w2"), ("d", "w3"), ("e", "w1")]
    pairs = [
        folder.Pair(dataset, str(n), None, None, group) for n, (dataset, group) in enumerate(groups)
    ]
    rows = [row_of("x", [0.9, 0.9, 0.2, 0.2, 1.0]), row_of("y", [0.1, 0.1, 0.3, 0.6, 0.0])]
    best = scoring._chosen("best", rows, pairs, pixels.rules())
    # Well 1 is scored by y, which wells 2 and 3 prefer; these by x, because
    # of well 1. The other dataset has one group only.
    assert [mask and mask.content.decode() for mask in best.masks] == ["y", "y", "x", "x", None]
    f_scores = metrics.Agreement(*best.scores.T).f_score
    np.testing.assert_array_equal(f_scores, [0.1, 0.1, 0.2, 0.2, np.nan])


@pytest.mark.parametrize("output", ["", "--output=scores"])
def test_only_pictures_need_more_than_inference_does(here, tool, output):
    model_file.save(thresholding(), here / "model", provenance={})
    script = """
import sys
for name in ("tensorflow", "tensorflow_datasets", "orbax", "optax",
             "matplotlib", "ml_collections", "tensorboardX", "tqdm", "chex"):
    sys.modules[name] = None
from spheroid_jax.runtime import compilation
compilation.keep_programs = lambda folder: None
from spheroid_jax.commands import score as command
sys.exit(command.main(sys.argv[1:]))
"""
    arguments = ["root", "tool", "model", *filter(None, [output])]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    if output:
        assert done.returncode == 2 and 'pip install "spheroid-jax[report]"' in done.stderr
        assert done.stderr.count("\n") == 1
    else:
        assert done.returncode == 0, done.stderr
        assert "75.00" in done.stdout
