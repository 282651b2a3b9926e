"""Other people's rules for the same question: does the published number reproduce? None of them decides anything here.

Each takes the runs x [n] of a cell and the published number, and says yes, no or (None) that it cannot be applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from refashion.inference.evidence import Evidence, claim_p_values, weigh
from refashion.inference.families import holm_along
from refashion.inference.intervals import prediction_interval, t_interval
from refashion.inference.summaries import LEVEL, NO_DISTANCE, finite, finite_array, summarise
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


def interval_rule(x: ArrayLike, published: float) -> bool | None:
    """The 95% interval of the mean holds the published number.

    Open Science Collaboration 2015, Science 349, aac4716 (whether the original lies in the replication's interval).
    """
    finite(published)
    return _inside(t_interval(x), published)


def run_rule(x: ArrayLike, published: float, image_variance: float = 0.0) -> bool | None:
    """The 95% prediction interval of one more run holds the published number.

    Patil, Peng & Leek 2016, Perspectives on Psychological Science 11, 539-544; Spence & Stanley 2016, PLoS ONE 11,
    e0162874.
    """
    finite(published)
    return _inside(prediction_interval(x, image_variance=image_variance), published)


def _inside(interval, published: float) -> bool | None:
    return None if interval.low is None else interval.low <= published <= interval.high


def closeness_rule(x: ArrayLike, published: float, margin: float) -> bool | None:
    """Two one-sided tests at level .05: the mean lies within the margin of the published number.

    Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680.
    """
    p = weigh(x, published, margin).p_rep
    return None if p is None else p <= LEVEL


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
    known = [e.mean is not None and spread.sd is not None for e in family]
    if not any(known):
        return (None,) * len(family)
    columns = [(e.difference or 0.0, max(e.n, 1), e.margin, e.image_variance) for e in family]
    difference, n, margin, image_variance = np.array(columns, float).T
    p_rep, p_far, p_run = claim_p_values(difference, spread.sd, n, margin, image_variance, spread.df)
    out = ~np.array(known) | np.array([e.diverged > 0 for e in family])
    close = holm_along(np.where(out, 1.0, p_rep)) <= LEVEL
    far = holm_along(np.where(out, 1.0, np.maximum(p_far, p_run))) <= LEVEL
    return tuple(
        None if not given else REPRODUCED if near else NOT_REPRODUCED if beyond else INCONCLUSIVE
        for given, near, beyond in zip(known, close, far, strict=True)
    )


def predictive_log_density(x: ArrayLike, published: float, image_variance: float = 0.0) -> float | None:
    """Log density at the published number of one more run of the cell x [n]: t(n - 1) around its mean.

    The posterior predictive distribution under the reference prior 1 / sigma (Gelman et al. 2013, Bayesian Data
    Analysis, section 3.2), scale s sqrt(1 + 1/n); image_variance adds a normal error. None below two runs or if nothing
    varies.
    """
    finite(published, image_variance)
    sample = summarise(x)
    if sample.mean is None or not sample.sd:
        return None
    shifted = published - sample.mean - np.sqrt(image_variance) * _NODES
    density = stats.t.logpdf(shifted, sample.n - 1, scale=sample.sd * np.sqrt(1 + 1 / sample.n))
    return float(special.logsumexp(density, b=_WEIGHTS / _WEIGHTS.sum()))


def log_bayes_factor(x: ArrayLike, rival: ArrayLike, published: float, image_variance: float = 0.0) -> float | None:
    """Log of how much better "a run of this cell" predicts the published number than "a run of the rival cell".

    Natural logarithm; both cells [n], [n'] by their predictive densities. Verhagen & Wagenmakers 2014, Journal of
    Experimental Psychology: General 143, 1457-1475. None where a density does not exist.
    """
    own, other = (predictive_log_density(cell, published, image_variance) for cell in (x, rival))
    return None if own is None or other is None else own - other


def bayes_rule(log_factor: float | None) -> bool | None:
    """Substantial evidence for this cell (True), for its rival (False), or neither (None)."""
    if log_factor is None or abs(log_factor) < np.log(SUBSTANTIAL):
        return None
    return log_factor > 0


def single_run_rule(x: ArrayLike, published: float, margin: float) -> tuple[bool, ...]:
    """What each study of one run would have said: its number lies within the margin of the published one, or not.

    Bouthillier, Laurent & Vincent 2019, ICML, PMLR 97, 725-734, on what single runs are worth.
    """
    finite(published, margin)
    return tuple(bool(near) for near in np.abs(finite_array(x, 1) - published) <= margin + NO_DISTANCE)
