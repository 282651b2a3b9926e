"""Optimizers, one fused kernel a variable, with Keras' definitions and defaults; and the learning rate of an update."""

from __future__ import annotations

from typing import Any

import numpy as np

from refashion.training.runtime import tf

#: Share of all updates over which the cosine schedule first rises to its learning rate.
WARM_UP = 0.05


class Optimizer:
    """Slots of zeros beside each variable, and an update in place. `apply` works on one variable at a time."""

    slots = 0

    def __init__(self, variables: list[tf.Variable], recipe: dict):
        self.variables = variables
        self.momentum = recipe.get("momentum") or 0.0
        self.nesterov = bool(recipe.get("nesterov"))
        self.weight_decay = recipe.get("weight_decay") or 0.0
        self.slot_variables = [
            [tf.Variable(tf.zeros_like(variable)) for _ in range(self.slots)] for variable in variables
        ]

    def apply(self, gradients: list[tf.Tensor], learning_rate: tf.Tensor, iteration: tf.Tensor) -> None:
        """One update; learning_rate float32, iteration int64 (0 for the first update)."""
        shared = self.shared(iteration)
        if self.weight_decay:  # decoupled, before the update and of all variables, as in Keras
            for variable in self.variables:
                variable.assign_sub(variable * self.weight_decay * learning_rate)
        for variable, slots, gradient in zip(self.variables, self.slot_variables, gradients, strict=True):
            self.update(variable.handle, [slot.handle for slot in slots], gradient, learning_rate, shared)

    def shared(self, iteration: tf.Tensor) -> Any:
        """What all variables of an update share."""

    def update(self, variable: Any, slots: list, gradient: tf.Tensor, learning_rate: tf.Tensor, shared: Any) -> None:
        raise NotImplementedError


class Adam(Optimizer):
    """Kingma & Ba (2015); beta 0.9 and 0.999, epsilon 1e-7 outside the root's bias correction, as in Keras."""

    slots = 2

    def shared(self, iteration: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        count = tf.cast(iteration + 1, tf.float64)
        return tuple(tf.cast(tf.pow(tf.constant(beta, tf.float64), count), tf.float32) for beta in (0.9, 0.999))

    def update(self, variable: Any, slots: list, gradient: tf.Tensor, learning_rate: tf.Tensor, shared: Any) -> None:
        tf.raw_ops.ResourceApplyAdam(
            var=variable,
            m=slots[0],
            v=slots[1],
            beta1_power=shared[0],
            beta2_power=shared[1],
            lr=learning_rate,
            beta1=0.9,
            beta2=0.999,
            epsilon=1e-7,
            grad=gradient,
        )


class RMSprop(Optimizer):
    """Hinton's; rho 0.9, epsilon 1e-7 under the root, momentum 0 unless given, as in Keras."""

    slots = 2

    def update(self, variable: Any, slots: list, gradient: tf.Tensor, learning_rate: tf.Tensor, shared: Any) -> None:
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable,
            ms=slots[0],
            mom=slots[1],
            lr=learning_rate,
            rho=0.9,
            momentum=self.momentum,
            epsilon=1e-7,
            grad=gradient,
        )


class SGD(Optimizer):
    """Gradient descent, with Keras' momentum (velocity = momentum * velocity - rate * gradient) or Nesterov's."""

    slots = 1

    def update(self, variable: Any, slots: list, gradient: tf.Tensor, learning_rate: tf.Tensor, shared: Any) -> None:
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable,
            accum=slots[0],
            lr=learning_rate,
            momentum=self.momentum,
            use_nesterov=self.nesterov,
            grad=gradient,
        )


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "rmsprop": RMSprop, "sgd": SGD}


def learning_rate(recipe: dict, iteration: tf.Tensor, updates: int) -> tf.Tensor:
    """The rate of an update: constant, or a rise over WARM_UP of all updates and half a cosine down to zero.

    The cosine is Loshchilov & Hutter's (2017), without restarts. A constant rate may have a decay, Keras 2's: it is
    divided by 1 + decay * updates so far.
    """
    peak, decay = recipe["learning_rate"], recipe.get("decay")
    if recipe["schedule"] == "constant":
        rate = tf.constant(peak, tf.float32)
        return rate / (1 + decay * tf.cast(iteration, tf.float32)) if decay else rate
    warm_up = max(1.0, WARM_UP * updates)
    done = tf.cast(iteration, tf.float32)
    progress = (done - warm_up) / max(1.0, updates - warm_up)
    falling = 0.5 * peak * (1 + tf.cos(np.pi * tf.clip_by_value(progress, 0.0, 1.0)))
    return tf.where(done < warm_up, peak * (done + 1) / (warm_up + 1), falling)
