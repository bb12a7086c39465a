"""Tests of the training step: which parameters it updates, by which loss, in which order."""

import functools

import chex
import jax
import numpy as np
import optax
import pytest
from helpers import (
    EVERYTHING,
    LAMBDA,
    PIXELWISE,
    SIZE,
    TOTAL,
    disk,
    make_batch,
    make_generalising,
    make_networks,
    nine,
    targets,
)
from jax import numpy as jnp

from spheroid_jax import images, models
from spheroid_jax.training import augment, checkpoint, losses, steps


@functools.cache
def compiled(adversarial=True, norm="image", learning_rate=1e-3):
    """Returns the initial state and the training step, compiled once for all tests."""
    networks = make_networks(adversarial, norm, learning_rate)
    state = steps.init_state(*networks, seed=0)
    return state, jax.jit(steps.make_train_step(*networks, weigh=nine))


def run(state, step, count, batch=None):
    history = []
    for _ in range(count):
        state, metrics = step(state, batch or make_batch())
        history.append(jax.device_get(metrics))
    return state, history


def changed(before, after):
    return not all(
        np.array_equal(a, b)
        for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
    )


PINNED = [
    {
        "cross_entropy": 1.5266454219818115,
        "adversarial_loss": 1.390474557876587,
        "adversary_accuracy": 0.5,
        "lambda": 8.300000445160549e-06,
        "segmentation_loss": 1.52665114402771,
    },
    {
        "cross_entropy": 1.5219367742538452,
        "adversarial_loss": 1.3892855644226074,
        "adversary_accuracy": 0.5,
        "lambda": 0.0020489469170570374,
        "segmentation_loss": 1.5233454704284668,
    },
]


def test_pinned_numbers_of_two_steps():
    # After an intended change (initialisation, losses, order of updates), run the test and copy the
    # new numbers. Otherwise, a failure means that the step has changed by mistake.
    _, history = run(*compiled(), 2)
    pinned = PINNED
    for metrics, expected in zip(history, pinned, strict=True):
        assert metrics.keys() == expected.keys()
        for name in metrics:
            np.testing.assert_allclose(metrics[name], expected[name], rtol=1e-3, err_msg=name)


def test_both_networks_learn_and_the_counter_counts():
    state, step = compiled()
    after, _ = run(state, step, 1)
    assert int(after.step) == 1
    assert changed(state.seg_params, after.seg_params)
    assert changed(state.adv_params, after.adv_params)
    assert int(after.seg_opt_state[0].count) == 1
    assert int(after.adv_opt_state[0].count) == 1


def test_the_adversary_update_leaves_the_segmentation_untouched():
    networks = make_networks()
    state = steps.init_state(*networks, seed=0)
    logits = jnp.zeros((1, SIZE, SIZE, 2))
    after, _ = steps._adversary_update(state, targets(make_batch()), logits, networks[1])
    assert changed(state.adv_params, after.adv_params)
    chex.assert_trees_all_equal(state.seg_params, after.seg_params)
    chex.assert_trees_all_equal(state.seg_opt_state, after.seg_opt_state)


def test_without_an_adversary_the_loss_is_the_cross_entropy_alone():
    state, step = compiled(adversarial=False)
    after, history = run(state, step, 1)
    assert history[0].keys() == {"cross_entropy"}
    assert after.adv_params == {} and after.adv_opt_state == ()
    assert changed(state.seg_params, after.seg_params)


def test_step_equals_the_textbook_with_two_forward_passes():
    """The test computes equations 2 and 3 on its own, in the paper's order of updates."""
    network, adversary = make_networks()
    state = steps.init_state(network, adversary, seed=0)
    state = state.replace(step=jnp.asarray(TOTAL - 1, jnp.int32))
    batch = make_batch(2)
    image = batch["image"][..., None]
    truth = np.stack([batch["label"] == 0, batch["label"] == 1], -1).astype(np.float32)

    def probability(seg_params):
        return jax.nn.softmax(network.module.apply({"params": seg_params}, image))

    def judge(adv_params, pair):
        return adversary.module.apply({"params": adv_params}, image * pair)

    def adversarial_loss(adv_params):
        fake = judge(adv_params, probability(state.seg_params))
        real = judge(adv_params, truth)
        labels = optax.softmax_cross_entropy_with_integer_labels
        return labels(real, jnp.ones(2, int)).mean() + (labels(fake, jnp.zeros(2, int)).mean())

    updates, _ = adversary.optimizer.update(
        jax.jit(jax.grad(adversarial_loss))(state.adv_params), state.adv_opt_state
    )
    adv_params = optax.apply_updates(state.adv_params, updates)

    def segmentation_loss(seg_params):
        p = probability(seg_params)
        pixel = -jnp.log((p * truth).sum(-1))
        weight = 1 + 8 * truth[..., 1]
        spatial = (weight * pixel).mean((1, 2))
        fake = jax.nn.softmax(judge(adv_params, p))[:, 1]
        return spatial.mean() + 0.1 * -jnp.log(fake).mean()

    updates, _ = network.optimizer.update(
        jax.jit(jax.grad(segmentation_loss))(state.seg_params), state.seg_opt_state
    )
    seg_params = optax.apply_updates(state.seg_params, updates)

    after, metrics = jax.jit(steps.make_train_step(network, adversary, weigh=nine))(state, batch)
    np.testing.assert_allclose(metrics["lambda"], 0.1, rtol=1e-6)
    # The first step of Adam is the sign of the gradient, so the moments are compared.
    chex.assert_trees_all_close(adv_params, after.adv_params, atol=1e-5)
    chex.assert_trees_all_close(seg_params, after.seg_params, atol=1e-4)


def test_lambda_follows_the_step_counter():
    _, history = run(*compiled(), 3)
    expected = [float(LAMBDA(n)) for n in range(3)]
    np.testing.assert_allclose([h["lambda"] for h in history], expected)


def test_a_tiny_batch_is_overfitted():
    state, step = compiled(adversarial=False, learning_rate=1e-2)
    _, history = run(state, step, 100)
    assert history[0]["cross_entropy"] > 1
    assert history[-1]["cross_entropy"] < 0.3


def test_padding_neither_teaches_nor_reaches_the_adversary():
    """A mask beyond the image's edge changes neither a loss nor an update."""
    networks = make_networks()
    logits = jnp.asarray(np.random.default_rng(1).normal(size=(1, SIZE, SIZE, 2)), jnp.float32)
    state = steps.init_state(*networks, seed=0)
    batch = make_batch()
    batch["label"][:, :, :6] = images.OUTSIDE
    padded = targets(batch)
    scribbled = padded._replace(mask=padded.mask.at[:, :, :6].set(True))

    @jax.jit
    def both(batch):
        after, metrics = steps._adversary_update(state, batch, logits, networks[1])
        loss = steps._logits_loss(logits, state.adv_params, 0, batch, networks[1], 0.5)
        return after, metrics, loss

    chex.assert_trees_all_equal(both(padded), both(scribbled))


def test_the_label_alone_says_where_there_is_no_image():
    image, mask, weight, *_ = targets(
        {"image": np.ones((1, 2, 3)), "label": np.array([[[0, 1, 2]] * 2])}
    )
    np.testing.assert_array_equal(mask, [[[False, True, False]] * 2])
    np.testing.assert_array_equal(weight, [[[1, 9, 0]] * 2])


def test_several_steps_a_dispatch_are_the_steps_one_by_one():
    networks = make_networks()
    batches = [make_batch(), {**make_batch(), "label": make_batch()["label"][:, ::-1]}]
    state, step = compiled()
    expected = state
    for batch in batches:
        expected, last = step(expected, batch)
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *batches)
    run_steps = steps.make_run_steps(steps.make_train_step(*networks, weigh=nine))
    copy = jax.tree.map(jnp.copy, state)
    actual, metrics = run_steps(copy, stacked)
    assert metrics["cross_entropy"].shape == (2,)
    np.testing.assert_allclose(metrics["cross_entropy"][-1], last["cross_entropy"], rtol=1e-5)
    chex.assert_trees_all_close(actual, expected, atol=1e-4)


def test_the_state_is_donated_and_the_step_traced_once():
    network, adversary = make_networks(adversarial=False)
    step = steps.make_train_step(network, adversary)
    chex.clear_trace_counter()
    run_steps = steps.make_run_steps(chex.assert_max_traces(step, n=1))
    state = steps.init_state(network, adversary, seed=0)
    batches = jax.tree.map(lambda leaf: leaf[None], make_batch())
    first = jax.tree.leaves(state.seg_params)[0]
    for _ in range(3):
        state, metrics = run_steps(state, batches)
    assert metrics["cross_entropy"].shape == (1,)
    assert first.is_deleted()


def test_batch_norm_moves_its_running_averages_in_training():
    state, step = compiled(adversarial=False, norm="batch")
    after, _ = run(state, step, 1)
    assert changed(state.seg_stats, after.seg_stats)


def test_an_image_is_trained_the_same_whatever_its_companions():
    """With norm "image", the loss of a batch is the mean of the losses of its images."""
    network, _ = make_networks(adversarial=False)
    state, _ = compiled(adversarial=False)
    batch = make_batch(3)

    @jax.jit
    def loss(batch):
        logits = network.module.apply(
            {"params": state.seg_params}, batch["image"][..., None], train=True
        )
        _, mask, weight, *_ = targets(batch)
        return losses.weighted_cross_entropy(logits, mask, weight)

    alone = [loss(jax.tree.map(lambda leaf, n=n: leaf[n : n + 1], batch)) for n in range(3)]
    np.testing.assert_allclose(loss(batch), np.mean(alone), rtol=1e-5)


def test_mismatched_batch_is_refused():
    state, step = compiled()
    batch = make_batch()
    batch["label"] = batch["label"][:, :-1]
    with pytest.raises(AssertionError):
        step(state, batch)


# Beyond the paper.


@functools.cache
def generalising():
    """Returns the initial state and the compiled step made by `make_generalising`."""
    networks, options = make_generalising()
    state = steps.init_state(*networks, seed=0, averaged=True)
    return state, jax.jit(steps.make_train_step(*networks, **options))


def test_no_average_is_kept_unless_asked_for():
    state, step = compiled()
    assert state.seg_average == {}
    assert run(state, step, 1)[0].seg_average == {}


def test_the_average_is_that_of_the_parameters_with_a_fast_start():
    state, step = generalising()
    chex.assert_trees_all_equal(state.seg_average, state.seg_params)
    expected = [np.asarray(leaf) for leaf in jax.tree.leaves(state.seg_params)]
    # The decay is 0.9 from the 81st step on.
    state = state.replace(step=jnp.asarray(78, jnp.int32))
    for n in range(78, 83):
        state, _ = step(state, make_batch())
        decay = min(0.9, (1 + n) / (10 + n))
        expected = [
            decay * old + (1 - decay) * np.asarray(new)
            for old, new in zip(expected, jax.tree.leaves(state.seg_params), strict=True)
        ]
    chex.assert_trees_all_close(jax.tree.leaves(state.seg_average), expected, rtol=1e-4, atol=1e-6)


def test_the_first_average_is_nearly_the_first_parameters():
    average, params = {"w": jnp.zeros(3)}, {"w": jnp.ones(3)}
    decay = steps._fast_at_first(0.999, jnp.asarray(0))
    moved = steps._moved_average(average, params, decay)
    np.testing.assert_allclose(moved["w"], 0.9, rtol=1e-6)


def test_without_a_fast_start_the_average_keeps_a_share_of_its_start():
    networks, options = make_generalising()
    step = steps.make_train_step(*networks, **options, fast_start=False)
    state = steps.init_state(*networks, seed=0, averaged=True)
    start = state.seg_params
    moved, _ = jax.jit(step)(state, make_batch())
    chex.assert_trees_all_close(
        moved.seg_average,
        jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, start, moved.seg_params),
        rtol=1e-5,
        atol=1e-7,
    )


def test_uniform_weights_are_one_wherever_there_is_an_image():
    uniform = jax.jit(steps.make_train_step(*PIXELWISE, weigh=losses.uniform_weight))
    ones = jax.jit(steps.make_train_step(*PIXELWISE, weigh=lambda mask, counted: 1.0 * counted))
    state = steps.init_state(*PIXELWISE, seed=0)
    batch = make_batch()
    batch["label"][:, :, :6] = images.OUTSIDE
    np.testing.assert_allclose(
        uniform(state, batch)[1]["cross_entropy"], ones(state, batch)[1]["cross_entropy"], rtol=1e-5
    )


def test_the_dice_loss_is_added_to_the_cross_entropy(rng):
    logits = jnp.asarray(rng.normal(size=(1, SIZE, SIZE, 2)), jnp.float32)
    batch = make_batch()
    _, mask, weight, *_ = targets(batch)
    loss, metrics = steps._logits_loss(logits, {}, 0, targets(batch), None, 0.5)
    expected = losses.weighted_cross_entropy(logits, mask, weight)
    np.testing.assert_allclose(metrics["cross_entropy"], expected, rtol=1e-6)
    dice = losses.soft_dice(logits, mask, weight)
    np.testing.assert_allclose(metrics["dice_loss"], dice, rtol=1e-6)
    np.testing.assert_allclose(loss, expected + 0.5 * dice, rtol=1e-6)


def test_parts_are_learned_beside_the_classes_and_the_adversary_sees_the_classes_alone():
    module = models.build("unet", width=4, depth=1, markers=True, cores=True)
    networks = [steps.Network(module, optax.adam(1e-2)), make_networks(True, "image", 1e-3)[1]]
    batch = make_batch()
    inner = np.stack([disk(SIZE, (14, 16), 3.5)])
    batch["image"] = np.where(inner, 0, batch["image"]).astype(np.float32)
    batch["label"] = np.where(inner, images.MARKER + images.CORE, batch["label"]).astype(np.uint8)
    step = jax.jit(steps.make_train_step(*networks, weigh=nine, marker=0.5, core=0.5))
    _, history = run(steps.init_state(*networks, seed=0), step, 200, batch)
    assert history[-1]["marker_loss"] < 0.6 * history[0]["marker_loss"]
    assert history[-1]["core_loss"] < 0.6 * history[0]["core_loss"]
    assert history[-1]["cross_entropy"] < history[0]["cross_entropy"]


def test_augmented_batches_are_weighed_by_their_new_masks():
    """The loss is the loss of the augmented batch."""
    change = augment.make_augment(EVERYTHING, seed=0)
    augmented = jax.jit(steps.make_train_step(*PIXELWISE, augment=change))
    step = jax.jit(steps.make_train_step(*PIXELWISE))
    state = steps.init_state(*PIXELWISE, seed=0)
    image, mask, weight, *parts = targets(make_batch(2))
    parts = jnp.stack(parts, -1)
    image, mask, counted, _ = jax.jit(change)(image, mask, weight > 0, parts, 0)
    label = jnp.where(counted, mask.astype(np.uint8), images.OUTSIDE)
    np.testing.assert_allclose(
        augmented(state, make_batch(2))[1]["cross_entropy"],
        step(state, {"image": image, "label": label})[1]["cross_entropy"],
        rtol=1e-3,
    )


def test_steps_beyond_the_paper_can_share_a_dispatch_and_be_resumed(tmp_path):
    networks, options = make_generalising()
    run_steps = steps.make_run_steps(steps.make_train_step(*networks, **options))
    batches = jax.tree.map(lambda leaf: np.stack([leaf] * 2), make_batch(2))

    def initial(seed):
        return steps.init_state(*networks, seed=seed, averaged=True)

    state, _ = run_steps(initial(0), batches)
    with checkpoint.open_checkpoints(tmp_path) as saved:
        saved.save(2, state)
    whole, metrics = run_steps(state, batches)
    with checkpoint.open_checkpoints(tmp_path) as saved:
        state = saved.restore(2, initial(1))
    resumed, metrics_again = run_steps(state, batches)
    chex.assert_trees_all_equal(whole, resumed)
    chex.assert_trees_all_equal(metrics, metrics_again)
    assert changed(whole.seg_average, whole.seg_params)
