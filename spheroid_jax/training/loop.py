"""The training loop of one fold. Takes iterators; knows no TensorFlow."""

import collections
import itertools
from typing import NamedTuple

import jax
import numpy as np
from jax import numpy as jnp

from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import grid_scores

# Dispatches that the host may be ahead of the device.
_IN_FLIGHT = 2


class Plan(NamedTuple):
    """When things happen; all in steps.

    Attributes:
      total: steps of the whole training.
      per_dispatch: steps that one call of the compiled program takes.
      validate_every: steps between validations, each with a checkpoint.
      log_every: steps between lines of metrics.
    """

    total: int
    per_dispatch: int
    validate_every: int
    log_every: int


class NonFiniteLoss(UserError, RuntimeError):
    """Training diverged; `step` is the first step that shows it."""

    def __init__(self, step, what):
        """Keeps the step (counted from 0)."""
        self.step = step
        super().__init__(f"{what} is not finite at step {step}")


class Interrupted(RuntimeError):
    """Training was asked to stop; all steps up to `step` are saved."""

    def __init__(self, step, reason):
        """Keeps the number of completed steps, and what asked (truthy)."""
        self.step, self.reason = step, reason
        super().__init__(f"stopped after step {step}")


def dispatches(start, plan):
    """Cuts the steps from `start` on into calls of the compiled program.

    A call ends where the multiples of `per_dispatch` and `validate_every`
    are, wherever training starts: so a resumed run makes the very calls that
    the uninterrupted one makes.

    Yields:
      (first, end): the call takes the steps first, ..., end - 1.
    """
    while start < plan.total:
        ends = ((start // every + 1) * every for every in (plan.per_dispatch, plan.validate_every))
        end = min(plan.total, *ends)
        yield start, end
        start = end


def train(
    state,
    run_steps,
    batches,
    *,
    plan,
    validate,
    checkpoints,
    progress,
    stop_requested,
    rank=grid_scores.mean_over_datasets,
    sharding=None,
):
    """Trains from `state` to the end.

    Args:
      state: `steps.TrainState`; donated.
      run_steps: of `steps.make_run_steps`.
      batches: iterator of batches, from the state's step on.
      plan: `Plan`.
      validate: maps a state to a dict from dataset to its mean F-score.
      checkpoints: `checkpoint.Checkpoints`.
      progress: `progress.Progress`.
      stop_requested: called after each dispatch; what it returns is the
        reason to save and stop, if truthy.
      rank: maps F-scores to the number that the best checkpoint is chosen by;
        None: not to be chosen.
      sharding: how stacked batches lie on several devices; None: on one.

    Returns:
      The final state, which is also the last checkpoint.

    Raises:
      NonFiniteLoss: training diverged; the last checkpoint is a good one.
      Interrupted: as asked; the last checkpoint is of that step.
    """
    calls = dispatches(int(state.step), plan)
    pending = []  # Metrics still on the device, with their first steps.
    for (first, end), chunk in _on_device(calls, batches, sharding):
        state, metrics = run_steps(state, chunk)
        pending.append((first, metrics))
        # The device always has work, and a request to stop is met soon.
        jax.block_until_ready(pending[-_IN_FLIGHT:][0][1])
        validating = end % plan.validate_every == 0 or end == plan.total
        stopping = not validating and stop_requested()
        progress.advance(end)
        if end // plan.log_every > first // plan.log_every or validating:
            progress.metrics(end, _collect(pending))
        if validating or stopping:
            _collect(pending)
            _check_state(state, end)
        if validating:
            scores = validate(state)
            progress.validation(end, scores)
            value = rank(scores)
            if value is None:
                progress.say(f"step {end}  worse on rehearsal than the margin allows")
            checkpoints.save(end, state, value)
            stopping = end < plan.total and stop_requested()
        elif stopping:
            checkpoints.save(end, state)
        if stopping:
            checkpoints.wait()
            raise Interrupted(end, stopping)
    checkpoints.wait()
    return state


def _on_device(calls, batches, sharding, ahead=_IN_FLIGHT):
    """Pairs each call with its stacked batches, transferred ahead of it."""
    queue = collections.deque()
    for call in calls:
        first, end = call
        chunk = list(itertools.islice(batches, end - first))
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *chunk)
        queue.append((call, jax.device_put(stacked, sharding)))
        if len(queue) > ahead:
            yield queue.popleft()
    yield from queue


def _collect(pending):
    """Fetches and forgets the pending metrics; returns each one's mean."""
    fetched = jax.device_get(pending)
    pending.clear()
    for first, metrics in fetched:
        for name, values in metrics.items():
            bad = np.flatnonzero(~np.isfinite(values))
            if bad.size:
                raise NonFiniteLoss(first + int(bad[0]), name)
    names = fetched[0][1] if fetched else ()
    return {name: float(np.mean(np.concatenate([m[name] for _, m in fetched]))) for name in names}


def _check_state(state, step):
    """A finite loss can have an update that is not: nothing bad is saved."""
    changed = (state.seg_params, state.seg_stats, state.adv_params)
    if not bool(_all_finite(changed)):
        raise NonFiniteLoss(step - 1, "a parameter")


@jax.jit
def _all_finite(tree):
    return jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]).all()
