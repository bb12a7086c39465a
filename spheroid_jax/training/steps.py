"""Training state, and the training step that updates both networks in turn (section 2.4).

A batch is a dict of `image` (B, H, W), float32 in [0, 1], and `label` (B, H, W), uint8:
`images.BACKGROUND`, `FOREGROUND`, or `OUTSIDE` for pixels beyond the image's edge.
"""

from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import optax
from flax import linen as nn
from flax import struct
from jax import lax
from jax import numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from spheroid_jax import images, models
from spheroid_jax.runtime import compilation
from spheroid_jax.training import losses

# Maps of a network's output: the logits of background and foreground come first.
_CLASSES = 2


@struct.dataclass
class TrainState:
    """Everything that training changes.

    Attributes:
      step: number of completed steps, int32.
      seg_params: parameters of the segmentation network.
      seg_stats: running averages of its batch normalisation; empty without batch normalisation.
      seg_average: moving average of `seg_params`; empty if no average is kept.
      seg_opt_state: state of the segmentation network's optimizer.
      adv_params: parameters of the adversarial network; empty without an adversary.
      adv_opt_state: state of the adversary's optimizer; empty without an adversary.
    """

    # PyTree, because JAX also builds this class with shapes or shardings in place of arrays.
    step: PyTree
    seg_params: chex.ArrayTree
    seg_stats: chex.ArrayTree
    seg_average: chex.ArrayTree
    seg_opt_state: optax.OptState
    adv_params: chex.ArrayTree
    adv_opt_state: optax.OptState


class Network(NamedTuple):
    """A Linen module with its optimizer."""

    module: nn.Module
    optimizer: optax.GradientTransformation


class Adversary(NamedTuple):
    """The adversarial network, its optimizer, and lambda as a function of the step."""

    module: nn.Module
    optimizer: optax.GradientTransformation
    weight: Callable[[jax.Array], jax.Array]


def init_state(network, adversary, *, seed, averaged=False, variables=None):
    """Initialises both networks and their optimizers.

    Args:
      network: `Network` that segments.
      adversary: `Adversary`, or None.
      seed: non-negative integer.
      averaged: whether a moving average of the parameters is kept.
      variables: Linen variables of a trained network, which training starts from; None for random
        ones.

    Returns:
      `TrainState` at step 0.
    """
    if variables is None:
        variables = models.initial_variables(network.module, 1, seed=seed)
    else:
        # Copies, because the step donates the state, and the caller may need its own variables.
        variables = jax.tree.map(jnp.copy, variables)
    adv_params, adv_opt_state = {}, ()
    if adversary is not None:
        adv_params = models.initial_variables(adversary.module, 2, seed=seed)["params"]
        adv_opt_state = adversary.optimizer.init(adv_params)
    seg_average = {}
    if averaged:
        # Copies, because a donated state must not hold the same buffer twice.
        seg_average = jax.tree.map(jnp.copy, variables["params"])
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        seg_params=variables["params"],
        seg_stats=variables.get("batch_stats", {}),
        seg_average=seg_average,
        seg_opt_state=network.optimizer.init(variables["params"]),
        adv_params=adv_params,
        adv_opt_state=adv_opt_state,
    )


def make_train_step(
    network,
    adversary=None,
    *,
    weigh=losses.balanced_weight,
    dice=0.0,
    marker=0.0,
    core=0.0,
    augment=None,
    average=0.0,
    fast_start=True,
):
    """Makes the training step of the segmentation network and, if there is one, the adversary.

    The defaults are the paper's values.

    Args:
      network: `Network` that segments.
      adversary: `Adversary`, or None for training without one.
      weigh: function from mask and counted pixels to pixel weights, one of `losses.WEIGHTS`.
      dice: weight of the soft Dice loss, which is added to the cross entropy.
      marker: weight of the loss of the bodies' markers; 0 if the network has none.
      core: weight of the loss of the bodies' dense cores; 0 if the network has none.
      augment: function that changes a batch, as returned by `augment.make_augment`, or None.
      average: decay of the moving average of the parameters; 0 for no average.
      fast_start: whether the average soon forgets the initial parameters, as is best if these are
        random. If false, the initial parameters keep a share of average ** steps.

    Returns:
      Pure function `step(state, batch) -> (state, metrics)`; metrics is a dict of scalars.
    """

    def train_step(state, batch):
        batch = _targets(batch, state.step, weigh, augment)

        def forward(seg_params):
            logits, updated = network.module.apply(
                {"params": seg_params, "batch_stats": state.seg_stats},
                batch.image[..., jnp.newaxis],
                train=True,
                mutable=["batch_stats"],
            )
            return logits, updated.get("batch_stats", {})

        # One forward pass serves both updates: the adversary judges its output, and its pullback
        # gives the gradient of the segmentation network.
        logits, pullback, seg_stats = jax.vjp(forward, state.seg_params, has_aux=True)
        metrics = {}
        if adversary is not None:
            state, metrics = _adversary_update(state, batch, logits, adversary)
        # The paper updates the adversary first, so the updated adversary judges here.
        logits_gradient, seg_metrics = jax.grad(_logits_loss, has_aux=True)(
            logits, state.adv_params, state.step, batch, adversary, dice, marker, core
        )
        seg_params, seg_opt_state = _update(
            network.optimizer, *pullback(logits_gradient), state.seg_opt_state, state.seg_params
        )
        seg_average = state.seg_average
        if average:
            decay = average
            if fast_start:
                decay = _fast_at_first(average, state.step)
            seg_average = _moved_average(seg_average, seg_params, decay)
        state = state.replace(
            step=state.step + 1,
            seg_params=seg_params,
            seg_average=seg_average,
            seg_stats=seg_stats,
            seg_opt_state=seg_opt_state,
        )
        return state, metrics | seg_metrics

    return train_step


def make_run_steps(train_step, placement=None):
    """Compiles several training steps into one program.

    Args:
      train_step: function as returned by `make_train_step`.
      placement: `devices.Placement` of state and batches on several devices; None for one device.

    Returns:
      Function `run(state, batches) -> (state, metrics)`, which donates `state`. The leaves of
      `batches` and of `metrics` have a leading axis of steps.
    """

    def run_steps(state, batches):
        if jax.tree.leaves(batches)[0].shape[0] > 1:
            return lax.scan(train_step, state, batches)
        # A single step needs no loop.
        state, metrics = train_step(state, jax.tree.map(lambda b: b[0], batches))
        return state, jax.tree.map(lambda m: m[jnp.newaxis], metrics)

    shardings = {}
    if placement is not None:
        shardings = {
            "in_shardings": (placement.everywhere, placement.shared),
            "out_shardings": placement.everywhere,
        }
    jitted = jax.jit(
        run_steps, donate_argnames="state", compiler_options=compilation.options(), **shardings
    )
    programs = {}

    def run(state, batches):
        shape = jax.tree.leaves(batches)[0].shape
        if shape not in programs:
            programs[shape] = jitted.lower(state, batches).compile()
            # The first step needs the memory that compilation has taken.
            compilation.release_memory()
        return programs[shape](state, batches)

    return run


def adversary_input(
    image: Float[Array, "b h w"],
    weight: Float[Array, "b h w"],
    probability: Float[Array, "b h w 2"],
) -> Float[Array, "b h w 2"]:
    """Input of the adversary: the image times the probability of each class (section 2.4).

    Args:
      image: the images.
      weight: pixel weights; the product is 0 where the weight is 0.
      probability: class probabilities, or the one-hot ground truth.
    """
    return jnp.where(weight > 0, image, 0)[..., jnp.newaxis] * probability


class _Targets(NamedTuple):
    """A batch in the form that the losses take; weights are 0 beyond the image's edge."""

    image: Float[Array, "b h w"]
    mask: Bool[Array, "b h w"]
    weight: Float[Array, "b h w"]
    marker: Bool[Array, "b h w"]
    core: Bool[Array, "b h w"]


def _targets(batch, step, weigh, augment):
    """Augments a batch, and turns its labels into masks and weights."""
    image, label = batch["image"], batch["label"]
    chex.assert_equal_shape([image, label])
    mask, counted = images.is_body(label), label != images.OUTSIDE
    parts = jnp.stack([images.is_marker(label), images.is_core(label)], -1)
    if augment is not None:
        image, mask, counted, parts = augment(image, mask, counted, parts, step)
    # The barrier keeps the order in which XLA sums the loss the same for all kinds of weights.
    image, mask, weight = lax.optimization_barrier((image, mask, weigh(mask, counted)))
    return _Targets(image, mask, weight, parts[..., 0], parts[..., 1])


def _fast_at_first(decay, step):
    return jnp.minimum(decay, (1 + step) / (10 + step))


def _moved_average(average, params, decay):
    return jax.tree.map(lambda old, new: decay * old + (1 - decay) * new, average, params)


def _adversary_update(state, batch, logits, adversary):
    """Updates the adversary; its gradient does not reach the segmentation network."""
    probability = lax.stop_gradient(jax.nn.softmax(logits[..., :_CLASSES]))
    truth = jax.nn.one_hot(batch.mask.astype(jnp.int32), 2)
    real = adversary_input(batch.image, batch.weight, truth)
    fake = adversary_input(batch.image, batch.weight, probability)

    def loss(adv_params):
        judge = adversary.module.apply
        real_logits = judge({"params": adv_params}, real)
        fake_logits = judge({"params": adv_params}, fake)
        told_real = real_logits.argmax(-1) == losses.REAL
        told_fake = fake_logits.argmax(-1) == losses.FAKE
        value = losses.adversarial_loss(real_logits, fake_logits)
        return value, {
            "adversarial_loss": value,
            "adversary_accuracy": (told_real.mean() + told_fake.mean()) / 2,
        }

    gradient, metrics = jax.grad(loss, has_aux=True)(state.adv_params)
    adv_params, adv_opt_state = _update(
        adversary.optimizer, gradient, state.adv_opt_state, state.adv_params
    )
    state = state.replace(adv_params=adv_params, adv_opt_state=adv_opt_state)
    return state, metrics


def _logits_loss(logits, adv_params, step, batch, adversary, dice, marker=0.0, core=0.0):
    """Loss of equation 3 as a function of the segmentation network's output, and metrics."""
    logits, of_parts = logits[..., :_CLASSES], logits[..., _CLASSES:]
    cross_entropy = losses.weighted_cross_entropy(logits, batch.mask, batch.weight)
    metrics = {"cross_entropy": cross_entropy}
    spatial_loss = cross_entropy
    if dice:
        dice_loss = losses.soft_dice(logits, batch.mask, batch.weight)
        spatial_loss = cross_entropy + dice * dice_loss
        metrics["dice_loss"] = dice_loss
    if marker:
        of_markers = losses.marker_loss(of_parts[..., 0], batch.marker, batch.weight > 0)
        spatial_loss = spatial_loss + marker * of_markers
        metrics["marker_loss"] = of_markers
    if core:
        of_cores = losses.core_loss(of_parts[..., -1], batch.core, batch.mask)
        spatial_loss = spatial_loss + core * of_cores
        metrics["core_loss"] = of_cores
    if adversary is None:
        return spatial_loss, metrics
    fake = adversary_input(batch.image, batch.weight, jax.nn.softmax(logits))
    adversarial_weight = jnp.asarray(adversary.weight(step))
    loss = losses.segmentation_loss(
        spatial_loss, adversary.module.apply({"params": adv_params}, fake), adversarial_weight
    )
    metrics |= {"segmentation_loss": loss, "lambda": adversarial_weight}
    return loss, metrics


def _update(optimizer, gradient, opt_state, params):
    updates, opt_state = optimizer.update(gradient, opt_state, params)
    return optax.apply_updates(params, updates), opt_state
