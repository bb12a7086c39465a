"""Tests of the benchmarks' arithmetic and tables; timings are not tested."""

import json
import types

import numpy as np
import pytest
from helpers import ROOT
from PIL import Image

from benchmarks import scenes, tables, workers

DOCS = ROOT / "docs" / "evidence"


def case(task="forward", width=60, **seconds):
    """Returns a result as returned by `network.measure`; arguments are framework=seconds."""
    return {
        "task": task,
        "width": width,
        "count": 1,
        "frameworks": {
            name: {"seconds": each, "peak_bytes": 1e9 * len(name), "difference": 0.0}
            for name, each in seconds.items()
        },
    }


def test_ratios_are_of_the_same_round_and_of_the_faster_layout():
    measured = case(
        **{
            "spheroid_jax": [1.0, 4.0],
            "PyTorch, contiguous": [9.0, 9.0],
            "PyTorch, channels last": [2.0, 4.0],
        }
    )
    np.testing.assert_allclose(tables.ratios(measured, "PyTorch"), [0.5, 1.0])


@pytest.mark.parametrize(("ours", "met"), [(0.8, True), (0.9, False)])
def test_a_target_is_met_or_missed_by_the_median_ratio(ours, met):
    measured = case(spheroid_jax=[ours, ours, 99.0], PyTorch=[1.0, 1.0, 1.0])
    measured["frameworks"]["ONNX Runtime"] = {"seconds": [9.0] * 3}
    verdicts = tables.verdicts({"network": [measured]})
    assert [verdict for verdict, _ in verdicts] == [True, met]
    assert f"{ours:.2f} x PyTorch (target 0.85)" in verdicts[1][1]


def test_pipeline_and_files_are_judged_by_rates():
    results = {
        "network": [case("step", spheroid_jax=[2.0], PyTorch=[2.0])],
        "data": {
            "pipeline": {"tf": [9.0, 11.0], "numpy": [50.0]},
            "files": {"60": {"network": [1.0], "stream": [1.25]}},
        },
    }
    by_sentence = {s.split(":")[0]: met for met, s in tables.verdicts(results)}
    # 10 samples per second are 20 times 0.5 steps per second.
    assert by_sentence["input pipeline"] is True
    assert by_sentence["files to masks, width 60"] is False


def test_the_document_shows_the_results_that_are_kept():
    text = (DOCS / "performance.md").read_text("utf-8")
    results = json.loads((DOCS / "performance.json").read_text("utf-8"))
    assert tables.replace_measured(text, results) == text
    assert "forward + backward" in text and "PyTorch, contiguous" in text


def outputs(**arrays):
    return {name: types.SimpleNamespace(output=np.array(array)) for name, array in arrays.items()}


def test_frameworks_that_compute_something_else_are_found():
    same = outputs(ours=[1.0, -2.0], theirs=[1.0, -2.001])
    assert workers.check_agreement(same, 1e-3)["theirs"] == pytest.approx(5e-4)
    for other in ([1.0, 2.0], [1.0, np.nan]):
        with pytest.raises(RuntimeError, match="theirs computes something"):
            workers.check_agreement(outputs(ours=[1.0, -2.0], theirs=other), 0.1)


def test_a_worker_s_error_is_told():
    with pytest.raises(RuntimeError, match="benchmarks.nothing:at_all"):
        workers.Worker("benchmarks.nothing:at_all")


def test_a_worker_works_when_asked_and_tells_its_memory():
    arguments = {
        "work": "benchmarks.jax_work:forward",
        "network": "unet",
        "width": 1,
        "size": 32,
        "count": 1,
        "cores": 1,
    }
    with workers.running({"one": arguments, "other": arguments}) as running:
        assert set(workers.check_agreement(running, 0).values()) == {0.0}
        assert running["one"].output.shape == (1, 32, 32)
        seconds = workers.take_turns(running, 2)
        assert all(s > 0 for each in seconds.values() for s in each)
        assert [len(each) for each in seconds.values()] == [2, 2]
        assert running["one"].peak_bytes() > 5e7


def test_the_sheet_of_drawn_scenes_has_one_row_per_kind(tmp_path, capsys):
    scenes.main(["--size=64", "--count=1", f"--output={tmp_path / 'sheet.png'}"])
    kinds = len(scenes.scenes.KINDS)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (8 * 96, kinds * 96)
    assert capsys.readouterr().out.count("ms per scene of 64 px") == kinds


def test_the_page_of_drawn_scenes_has_every_kind_with_its_share():
    page = (DOCS / "drawn-scenes.md").read_text()
    for name, kind in scenes.scenes.KINDS.items():
        assert f"| {name} | {100 * kind.share:.0f} % |" in page
    assert (DOCS / "drawn-scenes.png").stat().st_size < 300_000
