"""The plain script: the networks of the original trained as their author probably did, with Keras and nothing else.

One of the programs that `snakemake benchmark` compares; it imports nothing of this project. With --seed it is the real
`fit` beside the experiment `seeded_keras`: seeded as Keras' documentation advises. Prints a line of JSON an epoch:
epoch, loss, accuracy, val_loss, val_accuracy, parameters; clean_loss and clean_accuracy, on images as they are, where
val_* are on augmented ones.
"""

import argparse
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

layers = tf.keras.layers
ImageDataGenerator = tf.keras.preprocessing.image.ImageDataGenerator

#: As in a public notebook of the original's lineage, github.com/DanialK/fashion-mnist-cnn.
AFFINE = {
    "rotation_range": 8,
    "width_shift_range": 0.08,
    "height_shift_range": 0.08,
    "shear_range": 0.3,
    "zoom_range": 0.08,
}


def cnn1():
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.2),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
    ]


def lenet5():
    return [
        layers.ZeroPadding2D(2),
        layers.Conv2D(6, 5, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 5, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(120, activation="relu"),
        layers.Dense(84, activation="relu"),
    ]


def cnn4(padding="valid"):
    return [
        layers.Conv2D(32, 3, padding=padding, activation="relu"),
        layers.BatchNormalization(),
        layers.Conv2D(32, 3, padding=padding, activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Dropout(0.25),
        layers.Conv2D(64, 3, padding=padding, activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.25),
        layers.Conv2D(128, 3, padding=padding, activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Dense(128, activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
    ]


def cnn4_same():
    return cnn4(padding="same")


NETWORKS = {network.__name__: network for network in (cnn1, lenet5, cnn4, cnn4_same)}


def build(name):
    """The compiled model. LeNet-5 has the sparse loss, as in the original's table."""
    model = tf.keras.Sequential(
        [layers.Input((28, 28, 1)), *NETWORKS[name](), layers.Dense(10, activation="softmax")], name=name
    )
    loss = "sparse_categorical_crossentropy" if name == "lenet5" else "categorical_crossentropy"
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return model


def targets(name, labels):
    return labels if name == "lenet5" else tf.keras.utils.to_categorical(labels, 10)


class Report(tf.keras.callbacks.Callback):
    """Prints an epoch's line. clean: images and labels on which to validate as well, and the batch; None: none."""

    def __init__(self, clean=None):
        super().__init__()
        self.clean = clean

    def on_epoch_end(self, epoch, logs=None):
        if self.clean:
            x, y, batch = self.clean
            loss, accuracy = self.model.evaluate(x, y, batch_size=batch, verbose=0)
            logs = {**logs, "clean_loss": loss, "clean_accuracy": accuracy}
        print(json.dumps({"epoch": epoch + 1, **logs, "parameters": self.model.count_params()}), flush=True)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help=".npz with train_images, train_labels, test_images, test_labels")
    parser.add_argument("--network", choices=NETWORKS, required=True)
    parser.add_argument("--images", choices=("arrays", "rescaled", "affine"), required=True)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=0, help="0: TensorFlow's choice")
    parser.add_argument("--seed", type=int, help="of keras.utils.set_random_seed; none: unseeded")
    return parser.parse_args()


def main():
    """Train. arrays: model.fit on scaled arrays; rescaled and affine: through ImageDataGenerator.

    affine validates twice an epoch, on augmented images and on images as they are, since the engine does so.
    """
    chosen = options()
    tf.config.threading.set_intra_op_parallelism_threads(chosen.threads)
    if chosen.seed is not None:
        tf.keras.utils.set_random_seed(chosen.seed)
    with np.load(chosen.data) as data:
        x, x_val = (data[f"{part}_images"][..., np.newaxis].astype("float32") for part in ("train", "test"))
        y, y_val = (targets(chosen.network, data[f"{part}_labels"]) for part in ("train", "test"))
    model = build(chosen.network)
    if chosen.images == "rescaled":
        generator = ImageDataGenerator(rescale=1 / 255)
    else:
        x, x_val = x / 255, x_val / 255
        generator = ImageDataGenerator(**AFFINE)
    report = Report((x_val, y_val, chosen.batch) if chosen.images == "affine" else None)
    how = {"epochs": chosen.epochs, "verbose": 0, "callbacks": [report]}
    if chosen.images == "arrays":
        model.fit(x, y, batch_size=chosen.batch, validation_data=(x_val, y_val), **how)
    else:
        batches = [generator.flow(*pair, batch_size=chosen.batch) for pair in ((x, y), (x_val, y_val))]
        for one in batches:  # threads that prepare batches meanwhile: Keras 2 had one by default, Keras 3 none
            one.workers = 2
        model.fit(batches[0], validation_data=batches[1], **how)


if __name__ == "__main__":
    main()
