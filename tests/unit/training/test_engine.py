"""The engine: equal to Keras, independent of how steps are cut into calls, exact on resume."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

engine = pytest.importorskip(
    "refashion.training.engine", reason="TensorFlow is not installed"
)  # before Keras: it sets oneDNN

import keras
import tensorflow as tf

from refashion import randomness
from refashion.data import dataset as data
from refashion.errors import UserError
from refashion.networks import architectures, augmentation

PACKAGE = Path(engine.__file__).parents[2]
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
def split(real_data) -> data.Split:
    """160 real images to train on (64 a batch: two full ones and one of 32) and 100 to validate."""
    whole = data.load(real_data)
    return data.Split(
        whole.train_images[:160], whole.train_labels[:160], whole.test_images[:100], whole.test_labels[:100]
    )


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


def scalar_engine(optimizer: str, **recipe) -> engine.Optimizer:
    """The engine's optimizer over one variable of three numbers."""
    variable = tf.Variable([0.5, -2.0, 3.0])
    return engine.OPTIMIZERS[optimizer]([variable], RECIPE | {"optimizer": optimizer} | recipe)


@pytest.mark.parametrize(
    ("name", "recipe", "keras_optimizer"),
    [
        ("adam", {}, lambda: keras.optimizers.Adam(0.01)),
        ("rmsprop", {}, lambda: keras.optimizers.RMSprop(0.01)),
        ("rmsprop", {"momentum": 0.5}, lambda: keras.optimizers.RMSprop(0.01, momentum=0.5)),
        ("sgd", {}, lambda: keras.optimizers.SGD(0.01)),
        ("sgd", {"momentum": 0.9}, lambda: keras.optimizers.SGD(0.01, momentum=0.9)),
    ],
)
def test_optimizers_are_those_of_keras(name, recipe, keras_optimizer, device):
    """50 updates on the same gradients, Keras' own optimizers as the reference."""
    ours, theirs, reference = scalar_engine(name, **recipe), keras_optimizer(), keras.Variable([0.5, -2.0, 3.0])
    theirs.build([reference])
    for iteration, gradient in enumerate(np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)):
        ours.apply([tf.constant(gradient)], tf.constant(0.01), tf.constant(iteration, tf.int64))
        theirs.apply([tf.constant(gradient)], [reference])
    np.testing.assert_allclose(ours.variables[0].numpy(), reference.numpy(), rtol=2e-6)


def normalised(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, gradient: np.ndarray) -> dict[str, np.ndarray]:
    """Batch normalisation over all axes but the last, in float64, with gradients (Ioffe & Szegedy 2015)."""
    axes, count = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    mean, variance = x.mean(axes), x.var(axes)
    unit = (x - mean) / np.sqrt(variance + 1e-3)
    d_gamma, d_beta = (gradient * unit).sum(axes), gradient.sum(axes)
    d_x = gamma / np.sqrt(variance + 1e-3) * (gradient - d_beta / count - unit * d_gamma / count)
    return {
        "y": gamma * unit + beta,
        "d_x": d_x,
        "d_gamma": d_gamma,
        "d_beta": d_beta,
        "moving_mean": 0.01 * mean,
        "moving_variance": 0.99 + 0.01 * variance * count / (count - 1),
    }


@pytest.mark.parametrize("kind", [engine.FusedBatchNormalization, engine.SplitBatchNormalization])
@pytest.mark.parametrize("shape", [(64, 9, 9, 32), (256, 128)])
def test_batch_normalisation_follows_its_definition(kind, shape, device):
    """Values, gradients and running statistics (Bessel-corrected, momentum 0.99) against float64."""
    random = np.random.default_rng(2)
    x = np.maximum(random.normal(0.3, 1.0, shape), 0)
    gamma, beta, gradient = random.normal(1, 0.3, shape[-1]), random.normal(size=shape[-1]), random.normal(size=shape)
    layer = kind()
    layer.build(shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    inputs = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = layer(inputs, training=True)
    d_x, d_gamma, d_beta = tape.gradient(
        y, [inputs, layer.gamma.value, layer.beta.value], tf.constant(gradient, tf.float32)
    )
    expected = normalised(x, gamma, beta, gradient)
    found = {"y": y, "d_x": d_x, "d_gamma": d_gamma, "d_beta": d_beta}
    found |= {"moving_mean": layer.moving_mean.value, "moving_variance": layer.moving_variance.value}
    for name, value in expected.items():
        scale = np.abs(value).max()
        np.testing.assert_allclose(found[name].numpy() / scale, value / scale, atol=3e-5, err_msg=name)

    moved = (x - expected["moving_mean"]) / np.sqrt(expected["moving_variance"] + 1e-3) * gamma + beta
    np.testing.assert_allclose(layer(inputs, training=False).numpy(), moved, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rate", [0.2, 0.25, 0.5])
def test_dropout_drops_at_its_rate_and_scales_the_rest(rate, device):
    """400 steps of 10,000 units: the share dropped within 5 standard errors of the rate, the rest over 1 - rate."""
    draws = engine.Draws(3, "dropout")
    layer = engine.ByteDropout(rate)
    layer.draws, layer.position = draws, 0
    shares = []
    for step in range(400):
        draws.counter = engine._counter(0, step)
        y = layer(tf.ones([100, 100]), training=True).numpy()
        assert set(np.unique(y)) <= {np.float32(0), np.float32(1 / (1 - rate))}
        shares.append(np.mean(y == 0))
    assert len(set(shares)) > 50, "every step has a mask of its own"
    assert abs(np.mean(shares) - rate) < 5 * np.std(shares) / 20
    assert np.array_equal(layer(tf.ones([100, 100]), training=False).numpy(), np.ones((100, 100)))
    if rate == 0.2:  # two thresholds of 256, 51 and 52, in the ratio 4 to 1
        assert abs(np.mean(shares) - rate) < 5 * np.sqrt(0.16 / 4e6 + 0.16 / 256**2 / 400)


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


def test_the_cosine_schedule_rises_falls_and_ends_at_zero():
    """200 updates at 0.4: ten of warm-up, the peak after them, half of it midway (Loshchilov & Hutter 2017, eq. 5)."""
    recipe = {"learning_rate": 0.4, "schedule": "cosine"}
    rates = [float(engine.learning_rate(recipe, tf.constant(update, tf.int64), 200)) for update in range(201)]
    assert np.all(np.diff(rates[:11]) > 0)
    assert rates[10] == max(rates) == pytest.approx(0.4)
    assert rates[105] == pytest.approx(0.2, rel=1e-5)
    assert np.all(np.diff(rates[10:]) < 0)
    assert rates[200] == pytest.approx(0, abs=1e-6)


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


def test_a_model_that_the_engine_cannot_train_is_refused():
    def model(*last):
        return keras.Sequential([keras.layers.Input((4,)), *last])

    draws = engine.Draws(0, "dropout")
    no_softmax = model(keras.layers.Dense(3))
    with pytest.raises(UserError, match="last layer must be Dense with activation softmax"):
        engine.with_kernels(no_softmax, engine.KERNELS, "float32", draws)
    noisy = model(keras.layers.GaussianNoise(0.1), keras.layers.Dense(3, activation="softmax"))
    with pytest.raises(UserError, match="GaussianNoise draws random numbers"):
        engine.with_kernels(noisy, engine.KERNELS, "float32", draws)


def in_a_process(code: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs Python code in a process of its own, since TensorFlow is configured once a process."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_configure_sets_threads_determinism_and_onednn():
    code = """
import os
os.environ.pop("TF_ENABLE_ONEDNN_OPTS", None)
from refashion.training import engine
import tensorflow as tf
print(engine.configure("cpu", 3))
print(tf.config.threading.get_intra_op_parallelism_threads(), os.environ["TF_ENABLE_ONEDNN_OPTS"])
print(tf.config.experimental.tensor_float_32_execution_enabled(), tf.config.get_visible_devices("GPU"))
"""
    lines = in_a_process(code).stdout.splitlines()
    assert lines[0].startswith("Device(kind='cpu', name='CPU', tensorflow='")
    assert lines[1:] == ["3 1", "False []"]


def test_a_gpu_that_is_not_there_is_one_sentence():
    """CUDA_VISIBLE_DEVICES=-1 hides every GPU, so this holds on any machine: no silent fall back to the CPU."""
    code = """
from refashion import errors
from refashion.training import engine
try:
    engine.configure("gpu", 1)
except errors.UserError as error:
    print(error)
"""
    sentence = in_a_process(code, CUDA_VISIBLE_DEVICES="-1").stdout.strip()
    assert "\n" not in sentence
    assert sentence.startswith("device is gpu, but TensorFlow")
    assert "sees no GPU (CUDA_VISIBLE_DEVICES: -1)" in sentence


@pytest.mark.gpu
def test_a_gpu_trains_and_repeats_itself(real_data):
    """One step compiled by XLA, twice: the same bits. Needs a GPU that TensorFlow sees."""
    if not tf.config.list_physical_devices("GPU"):
        pytest.skip("TensorFlow sees no GPU on this machine")
    code = f"""
import hashlib, sys
from pathlib import Path
from refashion.data import dataset as data
from refashion.training import engine
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_engine import spec
whole = data.load(Path({str(real_data)!r}))
split = data.Split(whole.train_images[:512], whole.train_labels[:512], whole.test_images[:100], whole.test_labels[:100])
device = engine.configure("gpu", 1)
for _ in range(2):
    run = engine.Engine(spec("cnn4", affine=True), split, device)
    run.train(0, 0, 8)
    print(hashlib.sha256(b"".join(array.tobytes() for array in run.state().values())).hexdigest(), run.sums())
"""
    lines = in_a_process(code).stdout.splitlines()
    assert len(lines) == 2
    assert lines[0] == lines[1]
