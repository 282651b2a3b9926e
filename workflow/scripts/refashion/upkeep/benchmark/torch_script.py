"""The same networks in PyTorch, eager, channels_last, written as its users write for speed.

One of the programs that `snakemake benchmark` compares; it imports nothing of this project. Images stay in memory as
tensors (no DataLoader), augmentation is one batched warp, Adam is fused. Prints a line of JSON an epoch: epoch, loss,
accuracy, val_loss, val_accuracy, parameters; clean_loss and clean_accuracy, on images as they are, where val_* are on
augmented ones.
"""

import argparse
import json
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

#: Degrees, fractions of the side, degrees, fraction.
ROTATION, SHIFT, SHEAR, ZOOM = 8, 0.08, 0.3, 0.08
VALIDATION_BATCH = 1000


def cnn1():
    return [
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.2),
        nn.Flatten(),
        nn.Linear(5408, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    ]


def lenet5():
    return [
        nn.Conv2d(1, 6, 5, padding=4),  # 28 x 28 padded by 2 to 32 x 32, and by 2 for a 'same' convolution
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1024, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    ]


def _convolution(inputs, outputs, padding):
    return [nn.Conv2d(inputs, outputs, 3, padding=padding), nn.ReLU(), nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)]


def _dense(inputs, outputs):
    return [
        nn.Linear(inputs, outputs),
        nn.ReLU(),
        nn.BatchNorm1d(outputs, eps=1e-3, momentum=0.01),
        nn.Dropout(0.5),
    ]


def cnn4(padding=0, features=2048):
    return [
        *_convolution(1, 32, padding),
        *_convolution(32, 32, padding),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        *_convolution(32, 64, padding),
        nn.Dropout(0.25),
        *_convolution(64, 128, padding),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        *_dense(features, 512),
        *_dense(512, 128),
        nn.Linear(128, 10),
    ]


def cnn4_same():
    return cnn4(padding=1, features=6272)


NETWORKS = {network.__name__: network for network in (cnn1, lenet5, cnn4, cnn4_same)}


def build(name):
    """The network, with Keras' initial weights (Glorot's uniform ones, biases zero)."""
    model = nn.Sequential(*NETWORKS[name]())
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def parameters(model):
    """All numbers that a model keeps: weights, and the running statistics of batch normalisation."""
    kept = [*model.parameters(), *(buffer for buffer in model.buffers() if buffer.is_floating_point())]
    return sum(tensor.numel() for tensor in kept)


def transforms(count, device):
    """Random affine maps float32 [count, 2, 3] of places in the result to places in the image, for `affine_grid`.

    Rotation, shift, shear and zoom are multiplied in the order in which Keras' ImageDataGenerator does. Coordinates
    run from -1 to 1, so a shift by a fraction of the side is twice that.
    """
    draw = 2 * torch.rand(6, count, device=device) - 1
    angle, shear = draw[0] * math.radians(ROTATION), draw[1] * math.radians(SHEAR)
    zoom_x, zoom_y = 1 + ZOOM * draw[4], 1 + ZOOM * draw[5]
    cos, sin = angle.cos(), angle.sin()
    shift_x, shift_y = 2 * SHIFT * draw[2], 2 * SHIFT * draw[3]
    rows = [
        [cos * zoom_x, -(cos * shear.sin() + sin * shear.cos()) * zoom_y, cos * shift_x - sin * shift_y],
        [sin * zoom_x, (cos * shear.cos() - sin * shear.sin()) * zoom_y, sin * shift_x + cos * shift_y],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=1)


def augmented(images):
    """Images float32 [n, 1, h, w], each warped by a map of its own: bilinear, edges repeated."""
    grid = functional.affine_grid(transforms(len(images), images.device), images.shape, align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def batches(images, labels, order, size, affine):
    for chosen in order.split(size):
        batch = images[chosen]
        if affine:
            batch = augmented(batch)
        yield batch.contiguous(memory_format=torch.channels_last), labels[chosen]


def train(model, optimizer, images, labels, size, affine):
    """One epoch; mean loss and accuracy. Sums stay on the device until its end."""
    model.train()
    total, right = torch.zeros((), device=images.device), torch.zeros((), device=images.device)
    order = torch.randperm(len(images), device=images.device)
    for x, y in batches(images, labels, order, size, affine):
        optimizer.zero_grad(set_to_none=True)
        logits = model(x)
        loss = functional.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(y)
        right += (logits.detach().argmax(1) == y).sum()
    return total.item() / len(images), right.item() / len(images)


@torch.inference_mode()
def validate(model, images, labels, affine):
    """Mean loss and accuracy in evaluation mode, on images augmented as the training images are."""
    model.eval()
    total = right = 0.0
    order = torch.arange(len(images), device=images.device)
    for x, y in batches(images, labels, order, VALIDATION_BATCH, affine):
        logits = model(x)
        total += functional.cross_entropy(logits, y, reduction="sum").item()
        right += (logits.argmax(1) == y).sum().item()
    return total / len(images), right / len(images)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help=".npz with train_images, train_labels, test_images, test_labels")
    parser.add_argument("--network", choices=NETWORKS, required=True)
    parser.add_argument("--images", choices=("arrays", "affine"), required=True)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    return parser.parse_args()


def main():
    """Train. arrays: the images as they are, scaled; affine: warped anew each time."""
    chosen = options()
    torch.set_num_threads(chosen.threads)
    torch.set_flush_denormal(True)  # as TensorFlow does by itself
    device, affine = torch.device(chosen.device), chosen.images == "affine"
    with np.load(chosen.data) as data:
        images = [torch.from_numpy(data[f"{part}_images"]).unsqueeze(1).to(device) / 255 for part in ("train", "test")]
        labels = [torch.from_numpy(data[f"{part}_labels"]).long().to(device) for part in ("train", "test")]
    model = build(chosen.network).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
    for epoch in range(1, chosen.epochs + 1):
        loss, accuracy = train(model, optimizer, images[0], labels[0], chosen.batch, affine)
        val_loss, val_accuracy = validate(model, images[1], labels[1], affine)
        line = {"epoch": epoch, "loss": loss, "accuracy": accuracy, "val_loss": val_loss, "val_accuracy": val_accuracy}
        if affine:  # and on images as they are, since the engine does so
            line["clean_loss"], line["clean_accuracy"] = validate(model, images[1], labels[1], False)
        print(json.dumps({**line, "parameters": parameters(model)}), flush=True)


if __name__ == "__main__":
    main()
