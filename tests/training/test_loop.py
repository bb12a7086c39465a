"""Tests of the training loop, with a training step that a test can compute by hand."""

import itertools
import json
import math
import os
import signal
import types

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax import numpy as jnp

from spheroid_jax.evaluation import grid_scores
from spheroid_jax.runtime import signals
from spheroid_jax.training import checkpoint, loop
from spheroid_jax.training.progress import duration, open_progress
from spheroid_jax.training.steps import TrainState
from spheroid_jax.workdir import Fold


def make_state(value=0.0):
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        seg_params={"w": jnp.asarray(value)},
        seg_stats={},
        seg_average={},
        seg_opt_state=(),
        adv_params={},
        adv_opt_state=(),
    )


@jax.jit
def add_up(state, batches):
    """Takes "training steps" that add up the numbers in the batches."""
    state = state.replace(
        step=state.step + batches.shape[0], seg_params={"w": state.seg_params["w"] + batches.sum()}
    )
    return state, {"cross_entropy": batches}


def numbers(start=0, bad=None):
    for n in itertools.count(start):
        yield np.float32(math.nan if n == bad else n)


def go(tmp_path, *, total=10, start=None, stop=lambda: False, **options):
    """Trains in `tmp_path` from the last checkpoint there; returns the final state."""
    plan = loop.Plan(
        total=total,
        per_dispatch=options.pop("per_dispatch", 2),
        validate_every=options.pop("validate_every", 4),
        log_every=options.pop("log_every", 3),
    )
    scores = options.pop("scores", lambda state: {"mean": 0.5})
    bad = options.pop("bad", None)
    rank = options.pop("rank", grid_scores.mean_over_datasets)
    run_steps = options.pop("run_steps", add_up)
    with checkpoint.open_checkpoints(tmp_path / "checkpoints") as saved:
        state = make_state()
        step = saved.latest_step() or 0
        if step:
            state = saved.restore(step, state)
        with open_progress(Fold(tmp_path), step=step, total_steps=total) as shown:
            return loop.train(
                state,
                run_steps,
                numbers(step, bad),
                plan=plan,
                validate=scores,
                checkpoints=saved,
                progress=shown,
                stop_requested=stop,
                rank=rank,
            )


def lines(tmp_path):
    text = (tmp_path / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@given(
    start=st.integers(0, 60),
    total=st.integers(1, 60),
    per_dispatch=st.integers(1, 12),
    validate_every=st.integers(1, 30),
)
def test_dispatches_cover_the_steps_and_do_not_depend_on_the_start(
    start, total, per_dispatch, validate_every
):
    plan = loop.Plan(total, per_dispatch, validate_every, 1)
    whole = list(loop.dispatches(0, plan))
    steps = [step for first, end in whole for step in range(first, end)]
    assert steps == list(range(total))
    assert all(end - first <= per_dispatch for first, end in whole)
    ends = {end for _, end in whole}
    assert ends >= set(range(validate_every, total, validate_every))
    if start in ends:
        tail = [call for call in whole if call[0] >= start]
        assert list(loop.dispatches(start, plan)) == tail


def test_training_sees_every_batch_once_in_order(tmp_path):
    state = go(tmp_path)
    assert float(state.seg_params["w"]) == sum(range(10))
    assert int(state.step) == 10


def test_metrics_are_means_since_the_last_line(tmp_path):
    go(tmp_path, per_dispatch=1, validate_every=100)
    means = {
        line["step"]: line["cross_entropy"] for line in lines(tmp_path) if "cross_entropy" in line
    }
    assert means == {3: 1.0, 6: 4.0, 9: 7.0, 10: 9.0}


def test_validation_scores_are_recorded_and_the_last_step_is_validated(tmp_path):
    go(tmp_path)
    validated = [line["step"] for line in lines(tmp_path) if "validation/mean" in line]
    assert validated == [4, 8, 10]
    assert list(tmp_path.glob("events.out.tfevents.*"))


def test_a_dataset_named_mean_has_records_of_its_own(tmp_path):
    go(tmp_path, total=4, scores=lambda state: {"mean": 0.25, "dataset1": 0.75})
    (validated,) = [line for line in lines(tmp_path) if "validation/mean" in line]
    assert validated == {
        "step": 4,
        "validation_of_dataset/mean": 0.25,
        "validation/dataset1": 0.75,
        "validation/mean": 0.5,
    }


def test_the_best_and_the_last_checkpoint_are_kept(tmp_path):
    by_step = {4: 0.9, 8: 0.7, 10: 0.8}
    go(tmp_path, scores=lambda state: {"mean": by_step[int(state.step)]})
    with checkpoint.open_checkpoints(tmp_path / "checkpoints") as saved:
        assert (saved.best_step(), saved.latest_step()) == (4, 10)
        best = saved.restore(4, make_state())
        assert float(best.seg_params["w"]) == 0 + 1 + 2 + 3
    kept = [p.name for p in (tmp_path / "checkpoints").iterdir()]
    assert sorted(kept) == ["10", "4"]


def test_what_has_no_rank_is_kept_as_the_last_and_never_as_the_best(tmp_path):
    by_step = {4: 0.7, 8: None, 10: None}
    go(
        tmp_path,
        scores=lambda state: {"mean": 0.5, "step": int(state.step)},
        rank=lambda scores: by_step[scores["step"]],
    )
    with checkpoint.open_checkpoints(tmp_path / "checkpoints") as saved:
        assert (saved.best_step(), saved.latest_step()) == (4, 10)


def test_records_of_step_0_are_written_anew_where_training_begins(tmp_path):
    for step, kept in ((None, 1), (0, 2)):
        with open_progress(Fold(tmp_path), step=step, total_steps=3) as shown:
            shown.validation(0, {"mean": 0.5})
        assert len(lines(tmp_path)) == kept


def test_of_equal_scores_the_last_is_the_best(tmp_path):
    go(tmp_path)
    with checkpoint.open_checkpoints(tmp_path / "checkpoints") as saved:
        assert saved.best_step() == 10


def test_a_request_saves_stops_and_the_next_run_ends_the_same(tmp_path):
    asked = iter([False, True])
    with pytest.raises(loop.Interrupted) as stopped:
        go(tmp_path, per_dispatch=1, stop=lambda: next(asked, True))
    assert stopped.value.step == 2
    with checkpoint.open_checkpoints(tmp_path / "checkpoints") as saved:
        assert saved.latest_step() == 2
        assert saved.best_step() is None
    state = go(tmp_path, per_dispatch=1)
    assert float(state.seg_params["w"]) == sum(range(10))


def test_records_of_a_resumed_run_have_no_gap_and_nothing_twice(tmp_path):
    go(tmp_path / "whole")
    # A killed process leaves records beyond the checkpoint; the last one is incomplete.
    calls = iter([False, False, True])
    with pytest.raises(loop.Interrupted):
        go(tmp_path / "cut", stop=lambda: next(calls, True))
    with open(tmp_path / "cut" / "metrics.jsonl", "a") as file:
        file.write('{"step": 9, "cross_entropy": 1.0}\n{"step": 9, "cro')
    go(tmp_path / "cut")

    def recorded(directory):
        return [
            (line["step"], *sorted(line.keys() - {"steps_per_second"})) for line in lines(directory)
        ]

    assert recorded(tmp_path / "cut") == recorded(tmp_path / "whole")


@pytest.mark.parametrize("bad", [0, 5, 9])
def test_a_nonfinite_loss_stops_with_its_step_and_saves_nothing_bad(tmp_path, bad):
    with pytest.raises(loop.NonFiniteLoss, match=f"step {bad}") as stopped:
        go(tmp_path, bad=bad)
    assert stopped.value.step == bad
    with checkpoint.open_checkpoints(tmp_path / "checkpoints") as saved:
        last = saved.latest_step()
        assert last == {0: None, 5: 4, 9: 8}[bad]
        if last:
            good = saved.restore(last, make_state())
            assert np.isfinite(good.seg_params["w"])


def test_a_finite_loss_with_a_broken_update_is_not_saved(tmp_path):
    @jax.jit
    def break_at_the_end(state, batches):
        state, metrics = add_up(state, batches)
        broken = jnp.where(state.step >= 6, jnp.inf, state.seg_params["w"])
        return state.replace(seg_params={"w": broken}), metrics

    with pytest.raises(loop.NonFiniteLoss, match="a parameter"):
        go(tmp_path, run_steps=break_at_the_end)
    with checkpoint.open_checkpoints(tmp_path / "checkpoints") as saved:
        assert saved.latest_step() == 4


def test_the_first_signal_asks_and_the_second_has_its_old_effect():
    with signals.stop_signals() as requested:
        assert not requested()
        os.kill(os.getpid(), signal.SIGINT)
        assert requested() and requested.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_asks_too():
    with signals.stop_signals() as requested:
        os.kill(os.getpid(), signal.SIGTERM)
        assert requested.signal == signal.SIGTERM


class FailingOrbax:
    """Replaces orbax by an object whose background write raises `error`."""

    def __init__(self, error):
        self.error = error

    def save_checkpointables_async(self, *args, **options):
        def result():
            raise self.error

        return types.SimpleNamespace(result=result)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("... [os_error_code='28']\nlong"), "no space left"),
        (OSError(28, "No space left on device"), "No space left"),
        (KeyError("what"), "what"),
    ],
)
def test_a_failed_write_is_one_clear_line_at_the_latest_on_waiting(error, words):
    saved = checkpoint.Checkpoints(FailingOrbax(error))
    saved.save(3, make_state())
    with pytest.raises(checkpoint.CheckpointError, match=words) as failed:
        saved.wait()
    assert "\n" not in str(failed.value)
    saved.wait()  # Told once.


def test_a_checkpoint_of_another_structure_is_refused(tmp_path):
    with checkpoint.open_checkpoints(tmp_path) as saved:
        saved.save(1, {"a": jnp.arange(3.0)}, f_score=0.5)
    with (
        checkpoint.open_checkpoints(tmp_path) as saved,
        pytest.raises(checkpoint.CheckpointError, match="step 1"),
    ):
        saved.restore(1, {"a": jnp.arange(4.0)})


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (12.4, "12 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3599, "1 h 0 min"),
        (12_000, "3 h 20 min"),
        (112_000, "31 h"),
    ],
)
def test_durations_read_as_people_write_them(seconds, text):
    assert duration(seconds) == text
