"""The engine: equal to Keras, independent of how steps are cut into calls, exact on resume."""

from __future__ import annotations

import numpy as np
import pytest

engine = pytest.importorskip("refashion.training.engine", reason="TensorFlow is not installed")

from refashion import randomness
from refashion.data import dataset as data
from refashion.data.split import Split
from refashion.networks import architectures, augmentation
from refashion.training.runtime import keras, tf

AFFINE = {"rotation": 8, "width_shift": 0.08, "height_shift": 0.08, "shear": 0.3, "zoom": 0.08}
RECIPE = {
    "loss": "categorical",
    "optimizer": "adam",
    "learning_rate": 0.001,
    "momentum": 0.0,
    "schedule": "constant",
    "label_smoothing": 0.0,
    "batch_size": 64,
    "epochs": 3,
    "precision": "float32",
}


def spec(builder: str, affine: bool = False, seed: int = 5, options: dict | None = None, **recipe) -> dict:
    return {
        "numerics": 1,
        "seed": seed,
        "dataset": {"classes": 10, "shape": [28, 28]},
        "architecture": {"builder": builder, **architectures.options(builder), **(options or {})},
        "augmentation": augmentation.DEFAULTS | (AFFINE if affine else {}),
        "recipe": RECIPE | recipe,
    }


@pytest.fixture(scope="module")
def split(real_data) -> Split:
    """160 real images to train on (64 a batch: two full ones and one of 32) and 100 to validate."""
    whole = data.load(real_data)
    return Split(whole.train_images[:160], whole.train_labels[:160], whole.test_images[:100], whole.test_labels[:100])


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def assert_same_evaluation(first: engine.Evaluation, second: engine.Evaluation) -> None:
    for ours, theirs in ((first.validated, second.validated), (first.clean, second.clean)):
        assert np.array_equal(ours.losses, theirs.losses)
        assert np.array_equal(ours.classes, theirs.classes)


SLOW = ("cnn4", "cnn4_same", "resnet_small")  # to trace


@pytest.mark.parametrize(
    ("builder", "affine"),
    [
        pytest.param(builder, affine, id=f"{builder}-{'affine' if affine else 'none'}", marks=marks)
        for builder in architectures.BUILDERS
        for affine, marks in ((True, ()), (False, pytest.mark.slow if builder in SLOW else ()))
    ],
)
def test_calls_and_resume_change_no_bit(builder, affine, split, device):
    """The second epoch in steps of one, in one call, and resumed at its middle in another engine: the same bits."""
    first, second = (engine.Engine(spec(builder, affine), split, device) for _ in range(2))
    assert first.steps_per_epoch == 3
    first.train(0, 0, 3)
    after_an_epoch = first.state()
    first.reset_sums()
    for step in range(2):
        first.train(1, step, step + 1)
    at_the_middle = first.state()
    first.train(1, 2, 3)

    second.restore(at_the_middle)
    second.train(1, 2, 3)
    assert equal(first.state(), second.state())
    assert first.sums() == second.sums()
    assert_same_evaluation(first.evaluate(1), second.evaluate(1))

    second.restore(after_an_epoch)
    second.reset_sums()
    second.seconds_per_step = 1e-6  # so that one call takes all full batches
    second.train(1, 0, 3)
    assert equal(first.state(), second.state())


def test_the_same_spec_gives_the_same_bits_and_another_seed_does_not(split, device):
    engines = [engine.Engine(spec("cnn1", affine=True, seed=seed), split, device) for seed in (5, 5, 6)]
    for each in engines:
        each.train(0, 0, 3)
    assert equal(engines[0].state(), engines[1].state())
    assert_same_evaluation(engines[0].evaluate(0), engines[1].evaluate(0))
    assert not np.array_equal(engines[0].state()["model/000"], engines[2].state()["model/000"])


def test_validation_is_augmented_anew_each_epoch_and_clean_is_clean(split, device):
    run = engine.Engine(spec("softmax", affine=True), split, device)
    first, second = run.evaluate(0), run.evaluate(1)
    assert np.array_equal(first.clean.losses, second.clean.losses)
    assert not np.array_equal(first.validated.losses, second.validated.losses)
    assert not np.array_equal(first.validated.losses, first.clean.losses)
    plain = engine.Engine(spec("softmax"), split, device).evaluate(0)
    assert plain.validated is plain.clean


def test_evaluation_is_a_mean_over_images(split, device):
    """Loss and accuracy on the training images, against softmax regression by hand in float64."""
    run = engine.Engine(spec("softmax"), split, device)
    run.train(0, 0, 3)
    kernel, bias = (weight.numpy().astype(np.float64) for weight in run.model.weights)
    logits = split.train_images.reshape(160, 784) / 255 @ kernel + bias
    log_softmax = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    loss, accuracy = run.evaluate_training()
    assert loss == pytest.approx(-log_softmax[np.arange(160), split.train_labels].mean(), rel=1e-5)
    assert accuracy == np.mean(logits.argmax(1) == split.train_labels)


def test_an_interruption_leaves_between_calls(split, device):
    asked = []
    run = engine.Engine(spec("softmax"), split, device, interrupted=lambda: bool(asked.append(1) or len(asked) > 1))
    reached = run.train(0, 0, 3)
    assert 0 < reached < 3
    assert int(run.state()["iteration"]) == reached


def test_a_state_of_something_else_is_refused_and_changes_nothing(split, device):
    run, other = (engine.Engine(spec(builder), split, device) for builder in ("softmax", "cnn1"))
    before = run.state()
    for state in (
        other.state(),
        {name: value for name, value in before.items() if name != "iteration"},
        before | {"model/000": before["model/000"][:-1]},
        before | {"model/000": before["model/000"].astype(np.float64)},
    ):
        with pytest.raises(ValueError, match="state"):
            run.restore(state)
    assert equal(run.state(), before)


@pytest.mark.parametrize(
    ("builder", "recipe"),
    [
        ("softmax", {}),
        ("cnn1", {}),
        ("lenet5", {}),
        ("softmax", {"shuffle": "each_epoch"}),
        ("cnn1", {"shuffle": "once"}),
    ],
)
def test_training_is_that_of_keras(builder, recipe, split, device):
    """Two epochs without dropout: the losses of Keras' own model, optimizer and loss on the same batches."""
    options = {name: 0.0 for name in architectures.options(builder) if name.endswith("dropout")}
    ours = engine.Engine(spec(builder, options=options, **recipe), split, device)
    model = architectures.build(builder, (28, 28, 1), 10, options)
    architectures.initialise(model, 5)
    model.compile("adam", "categorical_crossentropy")
    for epoch in range(2):
        drawn = 0 if recipe.get("shuffle") == "once" else epoch
        order = randomness.generator(5, "shuffle", drawn).permutation(160)
        losses = []
        for chosen in np.split(order, [64, 128]):
            inputs = (split.train_images[chosen] / np.float32(255))[..., np.newaxis]
            model.reset_metrics()
            losses.append(model.train_on_batch(inputs, np.eye(10, dtype=np.float32)[split.train_labels[chosen]]))
        ours.reset_sums()
        ours.train(epoch, 0, 3)
        np.testing.assert_allclose(ours.sums()[0], np.average(losses, weights=[64, 64, 32]), rtol=1e-5)


def test_a_listed_network_is_trained_as_the_written_one(split, device):
    """The original's network with one convolution as a list: initialised, dropped out and trained to the same bits."""
    conv = {"conv": {"filters": 32, "kernel": 3, "activation": "relu"}}
    dense = [{"dense": {"units": 128, "activation": "relu"}}, {"dense": {"units": 10, "activation": "softmax"}}]
    listed = {"layers": [conv, "pool", {"dropout": {"rate": 0.2}}, "flatten", *dense]}
    specs = [spec("cnn1"), spec("layers", options=listed)]
    engines = [engine.Engine(one, split, device) for one in specs]
    for each in engines:
        each.train(0, 0, 3)
    assert equal(engines[0].state(), engines[1].state())


def test_the_two_losses_are_one_function(split, device):
    """Categorical and sparse categorical cross-entropy: the same numbers from the same seed, to the bit."""
    engines = [engine.Engine(spec("lenet5", loss=loss), split, device) for loss in ("categorical", "sparse")]
    for each in engines:
        each.train(0, 0, 3)
    assert equal(engines[0].state(), engines[1].state())


def test_label_smoothing_is_that_of_keras(split, device):
    """Against keras.losses on the same logits."""
    run = engine.Engine(spec("softmax", label_smoothing=0.1), split, device)
    logits, labels = np.random.default_rng(3).normal(size=(50, 10)).astype(np.float32), np.arange(50) % 10
    theirs = keras.losses.categorical_crossentropy(np.eye(10)[labels], logits, from_logits=True, label_smoothing=0.1)
    np.testing.assert_allclose(run._losses(tf.constant(logits), tf.constant(labels, tf.int32)), theirs, rtol=1e-5)


@pytest.mark.parametrize("builder", ["cnn1", pytest.param("resnet_small", marks=pytest.mark.slow)])
def test_bfloat16_computes_in_bfloat16_and_learns_alike(builder, split, device):
    """Variables stay float32; the loss after an epoch is within 2% of float32's, but is not equal to it."""
    losses = []
    for precision in ("float32", "mixed_bfloat16"):
        run = engine.Engine(spec(builder, precision=precision), split, device)
        run.train(0, 0, 3)
        losses.append(run.sums()[0])
        assert {variable.dtype for variable in run.trainable} == {tf.float32}
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
