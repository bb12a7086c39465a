"""Training loop of one fold: steps, validations, checkpoints, and stopping on request."""

import collections
import itertools
from typing import NamedTuple

import jax
import numpy as np
from jax import numpy as jnp

from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import grid_scores

# How many dispatches the host may be ahead of the device.
_IN_FLIGHT = 2


class Plan(NamedTuple):
    """The length of training and its intervals, all in steps.

    Attributes:
      total: steps of the whole training.
      per_dispatch: steps in one call of the compiled program.
      validate_every: steps between validations; each validation is followed by a checkpoint.
      log_every: steps between records of the training metrics.
    """

    total: int
    per_dispatch: int
    validate_every: int
    log_every: int


class NonFiniteLoss(UserError, RuntimeError):
    """Training diverged: a loss or a parameter is NaN or infinite.

    Attributes:
      step: the first step with such a value, counted from 0.
    """

    def __init__(self, step, what):
        """Makes the message from the step and the name of the value."""
        self.step = step
        super().__init__(f"{what} is not finite at step {step}")


class Interrupted(RuntimeError):
    """Training stopped on request, after it had saved all completed steps.

    Attributes:
      step: number of completed steps.
      reason: the value returned by `stop_requested`.
    """

    def __init__(self, step, reason):
        """Makes the message from the number of completed steps."""
        self.step, self.reason = step, reason
        super().__init__(f"stopped after step {step}")


def dispatches(start, plan):
    """Divides the steps from `start` on into calls of the compiled program.

    A call ends at each multiple of `per_dispatch` and of `validate_every`, wherever training
    starts. So a resumed training makes the same calls as an uninterrupted one.

    Args:
      start: number of completed steps.
      plan: `Plan`.

    Yields:
      Pairs (first, end): the call takes the steps first, ..., end - 1.
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
    """Trains from `state` to the last step.

    Args:
      state: `steps.TrainState`; donated.
      run_steps: function returned by `steps.make_run_steps`.
      batches: iterator of batches, from the step of the state on.
      plan: `Plan`.
      validate: function from a state to a dict from dataset to mean score.
      checkpoints: `checkpoint.Checkpoints`.
      progress: `progress.Progress`.
      stop_requested: function that is called after each dispatch. If it returns a true value,
        training saves and stops; the value becomes the reason of `Interrupted`.
      rank: function from the dict returned by `validate` to the number by which the best
        checkpoint is chosen; None if this checkpoint must not be the best.
      sharding: sharding of stacked batches over several devices; None for one device.

    Returns:
      The final state, which is also the last checkpoint.

    Raises:
      NonFiniteLoss: training diverged; the checkpoints have finite values.
      Interrupted: `stop_requested` returned a true value; the last checkpoint is the state of that
        step.
    """
    calls = dispatches(int(state.step), plan)
    pending = []  # Metrics that are still on the device, with their first steps.
    for (first, end), chunk in _on_device(calls, batches, sharding):
        state, metrics = run_steps(state, chunk)
        pending.append((first, metrics))
        # Waits so long that a request to stop is soon met, but the device never runs out of work.
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
                progress.say(f"step {end}  worse on rehearsal datasets than the margin allows")
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
    """Yields each call with its stacked batches, which are transferred some calls ahead."""
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
    """Fetches the pending metrics, clears the list, and returns the mean of each metric."""
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
    """Raises if a parameter is not finite, which can happen while the loss is still finite."""
    changed = (state.seg_params, state.seg_stats, state.adv_params)
    if not bool(_all_finite(changed)):
        raise NonFiniteLoss(step - 1, "a parameter")


@jax.jit
def _all_finite(tree):
    return jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]).all()
