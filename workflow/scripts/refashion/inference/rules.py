"""Other people's rules for the same question: does the published number reproduce? None of them decides anything here.

Each says yes, no or (None) neither, or gives a verdict's word; where each comes from, `sections.rival_rules` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from refashion.inference.evidence import Evidence, distances
from refashion.inference.families import holm_along
from refashion.inference.summaries import LEVEL, summarise
from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, Word

#: A Bayes factor of 3 is the least that Jeffreys (1961, Theory of Probability, appendix B) calls substantial.
SUBSTANTIAL = 3.0
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)


@dataclass(frozen=True, kw_only=True)
class PooledSpread:
    """One SD for all cells, with its degrees of freedom, and Bartlett's test that the cells have one SD.

    p is None where a cell is constant or has fewer than two runs (such cells give no part of the SD).
    """

    sd: float | None = None
    df: int = 0
    p: float | None = None
    reason: str = ""


def pooled_spread(samples: Sequence[ArrayLike]) -> PooledSpread:
    """The pooled SD of the cells (each [n_c]), and Bartlett's test of equal variances.

    Bartlett 1937, Proceedings of the Royal Society A 160, 268-282.
    """
    cells = [(cell.values, cell.n - 1, cell.sd) for cell in map(summarise, samples) if cell.sd is not None]
    df = sum(own for _, own, _ in cells)
    if not df:
        return PooledSpread(reason="cannot say, because no cell has two runs")
    sd = float(np.sqrt(sum(own * sd**2 for _, own, sd in cells) / df))
    if len(cells) < 2 or any(sd == 0 for *_, sd in cells):
        return PooledSpread(sd=sd, df=df, reason="cannot test equal spreads, because it takes two cells that vary")
    return PooledSpread(sd=sd, df=df, p=float(stats.bartlett(*(values for values, *_ in cells)).pvalue))


def pooled_rule(family: Sequence[Evidence], spread: PooledSpread) -> tuple[Word | None, ...]:
    """Our own rule with one SD for all cells and its degrees of freedom, as an analysis of variance takes it; in words.

    None where there is no run or no SD. A cell with a diverged run gets at most "inconclusive", as in our own rule.
    """
    known = [e.mean is not None for e in family]
    if spread.sd is None or not any(known):
        return (None,) * len(family)
    own = distances(family)
    pooled = own._replace(sd=spread.sd, n=np.maximum(own.n, 1), df=spread.df)
    p_rep, p_far, p_run = pooled.p_values()
    out = ~np.array(known) | np.array([e.diverged > 0 for e in family])
    close = holm_along(np.where(out, 1.0, p_rep)) <= LEVEL
    far = holm_along(np.where(out, 1.0, np.maximum(p_far, p_run))) <= LEVEL
    return tuple(
        None if not given else REPRODUCED if near else NOT_REPRODUCED if beyond else INCONCLUSIVE
        for given, near, beyond in zip(known, close, far, strict=True)
    )


def predictive_log_density(e: Evidence) -> float | None:
    """Log density at the published number of one more run of the evidence's cell: t(n - 1) around its mean.

    The posterior predictive distribution under the reference prior 1 / sigma (Gelman et al. 2013, Bayesian Data
    Analysis, section 3.2), scale s sqrt(1 + 1/n), or that of another mean where the published number is one; images
    that are others add a normal error. None below two runs or if nothing varies.
    """
    if e.mean is None or not e.sd:
        return None
    shifted = e.published - e.mean - np.sqrt(e.image_variance) * _NODES
    *_, scale, df = e.distance.errors
    density = stats.t.logpdf(shifted, df, scale=scale)
    return float(special.logsumexp(density, b=_WEIGHTS / _WEIGHTS.sum()))


def log_bayes_factor(own: Evidence, rival: Evidence) -> float | None:
    """Log of how much better "a run of this cell" predicts the published number than "a run of the rival cell".

    Natural logarithm, of their predictive densities. Verhagen & Wagenmakers 2014, Journal of Experimental Psychology:
    General 143, 1457-1475. None where a density does not exist.
    """
    densities = predictive_log_density(own), predictive_log_density(rival)
    return None if densities[0] is None or densities[1] is None else densities[0] - densities[1]


def bayes_rule(log_factor: float | None) -> bool | None:
    """Substantial evidence for this cell (True), for its rival (False), or neither (None)."""
    if log_factor is None or abs(log_factor) < np.log(SUBSTANTIAL):
        return None
    return log_factor > 0
