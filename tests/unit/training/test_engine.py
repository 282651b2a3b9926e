"""The engine: equal to Keras, independent of how steps are cut into calls, exact on resume."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest

engine = pytest.importorskip("refashion.training.engine", reason="TensorFlow is not installed")

from engine_specs import first_images, spec
from refashion import randomness
from refashion.data.split import Split
from refashion.networks import architectures, augmentation
from refashion.training.draws import Draws, moment
from refashion.training.runtime import keras, tf


@pytest.fixture(scope="module")
def split(real_data) -> Split:
    """160 images to train on (64 a batch: two full ones and one of 32) and 100 to validate."""
    return first_images(real_data, 160, 100)


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def assert_same_evaluation(first: engine.Evaluation, second: engine.Evaluation) -> None:
    for ours, theirs in ((first.validated, second.validated), (first.clean, second.clean)):
        assert np.array_equal(ours.losses, theirs.losses)
        assert np.array_equal(ours.classes, theirs.classes)


#: They have every kind of layer that the builders have.
FAST = {("cnn1", False), ("cnn4_same", True), ("resnet_small", True)}


@pytest.mark.parametrize(
    ("builder", "affine"),
    [
        pytest.param(*case, marks=() if case in FAST else pytest.mark.slow)
        for case in itertools.product(architectures.BUILDERS, (False, True))
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


def test_validation_is_augmented_anew_each_epoch_and_clean_is_clean(split, device):
    run = engine.Engine(spec("softmax", affine=True), split, device)
    first, second = run.evaluate(0), run.evaluate(1)
    assert np.array_equal(first.clean.losses, second.clean.losses)
    assert not np.array_equal(first.validated.losses, second.validated.losses)
    assert not np.array_equal(first.validated.losses, first.clean.losses)
    plain = engine.Engine(spec("softmax"), split, device).evaluate(0)
    assert plain.validated is plain.clean


def softmax_losses(run: engine.Engine, inputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cross-entropy [n] of the run's softmax regression on inputs [n, h, w], by hand in float64."""
    kernel, bias = (weight.numpy().astype(np.float64) for weight in run.model.weights)
    logits = inputs.reshape(len(inputs), -1) @ kernel + bias
    return np.log(np.exp(logits).sum(1)) - logits[np.arange(len(labels)), labels]


STILL = {"optimizer": "sgd", "learning_rate": 1e-30}  # weights stay what they were drawn to be


@pytest.mark.parametrize(
    ("builder", "affine", "options"), [("softmax", True, {}), ("cnn1", False, {"dropout": 0.5})], ids=str
)
def test_every_epoch_and_step_draws_anew(builder, affine, options, split, device):
    """With weights that stay, one order and one batch an epoch, only draws of augmentation and dropout can differ."""
    recipe = {**STILL, "batch_size": 160, "shuffle": "once"}
    run = engine.Engine(spec(builder, affine, options=options, **recipe), split, device)
    found = []
    for epoch in range(3):
        run.reset_sums()
        run.train(epoch, 0, 1)
        found.append(run.sums()[0])
    assert len(set(found)) == 3
    eighty = Split(*(np.tile(part[:80], (2, *[1] * (part.ndim - 1))) for part in vars(split).values()))
    twice = engine.Engine(spec(builder, affine, options=options, **recipe | {"batch_size": 80}), eighty, device)
    twice.permutation.assign(np.arange(160))  # two steps of the same images
    twice.shuffled_epoch = 0
    twice.train(0, 0, 1)
    first = twice.sums()[0]
    twice.reset_sums()
    twice.train(0, 1, 2)
    assert twice.sums()[0] != first


def test_validation_draws_from_its_own_stream_by_epoch_and_call(split, device, monkeypatch):
    """Two calls of fifty images: each augmented by hand with the draws of `validation_augmentation`."""
    monkeypatch.setattr(engine, "EVALUATION_BATCH", 50)
    run = engine.Engine(spec("softmax", affine=True), split, device)
    draws, expected = Draws(5, "validation_augmentation"), []
    for call, half in enumerate(np.split(np.arange(100), 2)):
        draws.counter = moment(3, call)
        images = split.validation_images[half][..., np.newaxis].astype(np.float32)
        inputs = augmentation.augment(images, run.augmentation, draws.uniform).numpy()[..., 0] / 255
        expected.append(softmax_losses(run, inputs, split.validation_labels[half]))
    np.testing.assert_allclose(run.evaluate(3).validated.losses, np.concatenate(expected), rtol=1e-4)


def test_running_means_are_over_the_images_that_were_seen(split, device):
    """With weights that stay, they are the evaluation's: of 160 images after three steps, of 128 after two."""
    run = engine.Engine(spec("softmax", **STILL), split, device)
    right = split.train_labels == run.model.predict(split.train_images[..., np.newaxis] / 255, verbose=0).argmax(1)
    order = randomness.generator(5, "shuffle", 0).permutation(160)
    run.train(0, 0, 2)
    assert run.sums()[1] == right[order[:128]].mean()
    run.train(0, 2, 3)
    loss, accuracy = run.evaluate_training()
    assert run.sums() == (pytest.approx(loss, rel=1e-6), accuracy)


def test_standardising_takes_the_training_images(split, device):
    """Validation images that are all white change nothing of it; 1e-6 is Keras' own."""
    white = np.full_like(split.validation_images, 255)
    other = Split(split.train_images, split.train_labels, white, split.validation_labels)
    definition = spec("softmax")
    definition["augmentation"] = {"rescale": "standardise"}
    run = engine.Engine(definition, other, device)
    pixels = split.train_images.astype(np.float64)
    assert run.factor == pytest.approx(1 / (pixels.std() + 1e-6), rel=1e-9)
    assert run.offset == pytest.approx(-pixels.mean() / (pixels.std() + 1e-6), rel=1e-9)
    inputs = np.full((100, 28, 28), (255 - pixels.mean()) / (pixels.std() + 1e-6))
    expected = softmax_losses(run, inputs, split.validation_labels)
    np.testing.assert_allclose(run.evaluate(0).clean.losses, expected, rtol=1e-5)


def test_a_schedule_ends_with_the_updates_of_its_recipe(split, device):
    """After a warm-up of one and the peak, the third of three is half-way down its cosine, that of nine an eighth."""
    moved = []
    for updates in (3, 9):
        run = engine.Engine(spec("softmax", schedule="cosine", updates=updates), split, device)
        run.train(0, 0, 2)
        before = run.state()["model/000"]
        run.train(0, 2, 3)
        moved.append(np.abs(run.state()["model/000"] - before).max())
    assert moved[0] / moved[1] == pytest.approx((1 + np.cos(np.pi / 2)) / (1 + np.cos(np.pi / 8)), rel=1e-3)


def test_evaluation_is_a_mean_over_images(split, device):
    """Loss and accuracy on the training images, against softmax regression by hand in float64."""
    run = engine.Engine(spec("softmax"), split, device)
    run.train(0, 0, 3)
    kernel, bias = (weight.numpy().astype(np.float64) for weight in run.model.weights)
    logits = split.train_images.reshape(160, 784) / 255 @ kernel + bias
    loss, accuracy = run.evaluate_training()
    assert loss == pytest.approx(softmax_losses(run, split.train_images / 255, split.train_labels).mean(), rel=1e-5)
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
    [("lenet5", {}), ("softmax", {"shuffle": "each_epoch"}), ("cnn1", {"shuffle": "once"})],
)
def test_training_is_that_of_keras(builder, recipe, split, device):
    """Two epochs without dropout: the losses of Keras' own model, optimizer and loss on the same batches."""
    options = {name: 0.0 for name in architectures.options(builder) if name.endswith("dropout")}
    ours = engine.Engine(spec(builder, options=options, **recipe), split, device)
    model = architectures.build({"builder": builder, **options}, (28, 28, 1), 10)
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


FIT = """
import json
import keras, numpy as np
numbers = np.arange(40, dtype="float32")[:, None]
served = []
class Recorder(keras.layers.Layer):
    def call(self, x):
        served.append(x)
        return x
def fit():
    model = keras.Sequential([keras.layers.Input((1,)), Recorder(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    served.clear()
    model.fit(numbers, numbers, batch_size=8, epochs=3, verbose=0)
    return np.concatenate(served).reshape(3, 40).tolist()
unseeded = fit()
keras.utils.set_random_seed(3)
print(json.dumps({"each_epoch": unseeded, "once": fit()}))
"""


def test_a_seeded_fit_of_keras_serves_one_order_as_shuffle_once_does(split, device):
    """Keras 3's fit on arrays, three epochs in a plain process: three orders, and one where the seed is set."""
    done = subprocess.run([sys.executable, "-c", FIT], capture_output=True, text=True, timeout=300)
    served = json.loads(done.stdout)
    for shuffle, orders in (("each_epoch", 3), ("once", 1)):
        assert all(sorted(order) == list(range(40)) != order for order in served[shuffle]), done.stderr
        run = engine.Engine(spec("softmax", shuffle=shuffle), split, device)
        ours = []
        for epoch in range(3):
            run.train(epoch, 0, 1)
            ours.append(tuple(run.permutation.numpy()))
        assert len(set(ours)) == len(set(map(tuple, served[shuffle]))) == orders


def test_the_two_losses_are_one_function(split, device):
    """Categorical and sparse categorical cross-entropy: the same numbers from the same seed, to the bit."""
    engines = [engine.Engine(spec("softmax", loss=loss), split, device) for loss in ("categorical", "sparse")]
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
