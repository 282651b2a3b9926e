"""How often the rule gives each verdict when the truth is known: its operating characteristics, by simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from refashion.inference.evidence import claim_p_values
from refashion.inference.families import holm_along
from refashion.inference.summaries import LEVEL, as_tuples, finite, finite_array


@dataclass(frozen=True, kw_only=True)
class OperatingCharacteristics:
    """How often (0..1) a true shift gets each verdict; [shift][claim], as in `shifts` and the input.

    monte_carlo_error: half-width of the 95% interval of a rate, at its largest (a rate of one half).
    """

    shifts: tuple[float, ...]
    repetitions: int
    reproduced: tuple[tuple[float, ...], ...]
    not_reproduced: tuple[tuple[float, ...], ...]
    inconclusive: tuple[tuple[float, ...], ...]
    monte_carlo_error: float


def operating_characteristics(
    n: Sequence[int],
    sd: Sequence[float],
    margin: Sequence[float],
    shifts: Sequence[float],
    *,
    seed: int,
    repetitions: int = 2_000,
    published_is_a_run: bool = True,
    level: float = LEVEL,
) -> OperatingCharacteristics:
    """How often a family of k claims gets each verdict when every cell truly lies `shift` above its original.

    n, sd, margin: [k], seeds, true SD and margin of each claim. Runs are normal, so mean and SD are drawn directly.
    published_is_a_run: the published number is one run of the original's cell (same SD); False: it is that cell's mean.
    """
    finite(*shifts)
    n, sd, margin = np.asarray(n), finite_array(sd, 1), finite_array(margin, 1)
    rng = np.random.default_rng(seed)
    shape = (repetitions, n.size)
    mean = rng.standard_normal(shape) * sd / np.sqrt(np.maximum(n, 1))
    spread = sd * np.sqrt(rng.chisquare(np.maximum(n - 1, 1), shape) / np.maximum(n - 1, 1))
    published = rng.standard_normal(shape) * sd * published_is_a_run
    rates = np.array([_verdict_rates(mean + shift - published, spread, n, margin, level) for shift in shifts])
    reproduced, not_reproduced, inconclusive = np.moveaxis(rates.reshape(len(shifts), 3, n.size), 1, 0)
    return OperatingCharacteristics(
        shifts=tuple(map(float, shifts)),
        repetitions=repetitions,
        reproduced=as_tuples(reproduced),
        not_reproduced=as_tuples(not_reproduced),
        inconclusive=as_tuples(inconclusive),
        monte_carlo_error=float(stats.norm.isf(0.025) * np.sqrt(0.25 / repetitions)),
    )


def _verdict_rates(difference, sd, n, margin, level) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares [k] of reproduced, not reproduced, inconclusive over the repetitions of difference and sd [R, k]."""
    p_rep, p_far, p_run = claim_p_values(difference, sd, np.maximum(n, 2), margin)
    untestable = np.asarray(n) < 2  # stays in the family, as in `judge_family`
    reproduced = holm_along(np.where(untestable, 1.0, p_rep)) <= level
    not_reproduced = holm_along(np.where(untestable, 1.0, np.maximum(p_far, p_run))) <= level
    return reproduced.mean(0), not_reproduced.mean(0), (~reproduced & ~not_reproduced).mean(0)
