"""What a benchmark's shares are taken of: TensorFlow's own float32 matrix product, over and over.

Prints a line of JSON with the floating-point operations of a training step per image of each network
(`architectures.training_flops`), then a line after each SIZE x SIZE product times PRODUCTS.
"""

import argparse
import json
import os

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from refashion.networks import architectures

#: Three such matrices are 48 MiB: far more work (17 GFLOP) than traffic, on any machine.
SIZE = 2048
PRODUCTS = 5
#: Floating-point operations behind a printed line, a multiply-add as two.
FLOPS = 2 * SIZE**3 * PRODUCTS


def main():
    """Multiply until killed, or as often as asked."""
    import tensorflow as tf

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    chosen = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(chosen.threads)
    tf.config.experimental.enable_tensor_float_32_execution(False)  # float32 means float32, as in the engine
    models = {name: architectures.build({"builder": name}, (28, 28, 1), 10) for name in chosen.networks}
    flops = {name: architectures.training_flops(model) for name, model in models.items()}
    print(json.dumps({"training_flops": flops}), flush=True)
    left, right = tf.random.uniform([SIZE, SIZE]), tf.random.uniform([SIZE, SIZE])
    for epoch in range(1, chosen.epochs + 1):
        for _ in range(PRODUCTS):
            product = tf.linalg.matmul(left, right)
        product[0, 0].numpy()  # waits for a GPU
        print(json.dumps({"epoch": epoch}), flush=True)


if __name__ == "__main__":
    main()
