"""How often the rule gives each verdict when the truth is known: its operating characteristics, by simulation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from refashion.inference.distances import Distances, chance_between
from refashion.inference.evidence import Evidence
from refashion.inference.looks import Look, State, chance_for_number, follow, look_at
from refashion.inference.summaries import LEVEL, NO_DISTANCE, finite, finite_array

#: The chance to decide with which a number of seeds is planned.
POWER = 0.8
#: The number of seeds beyond which the rule says "more than" instead of searching on.
MOST_SEEDS = 1_000
#: Equally likely values of an estimated SD over which a chance is averaged.
_SPREADS = 200


class Schedule(NamedTuple):
    """The looks of simulated studies: seeds of each cell at those that are held, and the level of each planned one.

    seeds: arrays [k] that grow; below two, a cell shows nothing. most: the seeds of the last planned look.
    """

    seeds: Sequence[ArrayLike]
    spend: Sequence[float] = (LEVEL,)
    most: int = 0


def operating_characteristics(
    cells: Distances,
    shifts: Sequence[float],
    *,
    published_is_a_run: bool,
    seed: int,
    claims: ArrayLike | None = None,
    schedule: Schedule | None = None,
    repetitions: int = 2_000,
) -> np.ndarray:
    """How often (0..1) a family of claims gets each verdict when its cells truly lie `shift` above their originals.

    Returns [shift, claim, 3], the shares reproduced, not reproduced and inconclusive. cells: arrays [k], of which sd is
    the true one, and the differences and image variances do not count. Runs are normal, so that mean and SD are drawn
    directly. published_is_a_run: the published number is one run of the original's cell (same SD), or the mean of its
    `runs`; False: it is that cell's mean, exactly. Two questions: what a number that somebody's runs gave meets, and
    what a number without error meets. claims: [k], 0, 1, 2.. in order, the claim of each cell where a claim is held
    against several (None: one each); it is reproduced if one of its cells is, and not reproduced if none is. schedule:
    its looks; None: one, with the seeds that the cells have.
    """
    finite(*shifts)
    sd, schedule = finite_array(cells.sd, 1), schedule or Schedule([cells.n])
    claims = np.arange(sd.size) if claims is None else np.asarray(claims)
    rng = np.random.default_rng(seed)
    shape = (repetitions, sd.size)
    samples = [(n, sd * mean, sd * spread) for n, mean, spread in _samples(schedule.seeds, shape, rng)]
    sources = [int((claims == claim).argmax()) for claim in claims]
    runs, spread = np.broadcast_to(cells.runs, sd.size), np.broadcast_to(cells.spread, sd.size)
    theirs = np.where(np.isnan(spread), sd, spread)[sources] / np.sqrt(runs)
    published = rng.standard_normal(shape)[:, sources] * theirs * published_is_a_run
    if not np.isnan(spread).all():
        df = np.maximum(runs - 1, 1)
        spread = spread * np.sqrt(rng.chisquare(df, shape)[:, sources] / df)
    bare = cells._replace(image_variance=0.0, spread=spread)
    rates = []
    for shift in shifts:
        looks = [
            _look(bare._replace(difference=mean + shift - published, sd=found, n=n), schedule.most)
            for n, mean, found in samples
        ]
        rates.append(_verdict_rates(follow(looks, schedule.spend, claims.tolist()).state, claims))
    return np.array(rates)


def _samples(
    seeds: Sequence[ArrayLike], shape: tuple[int, int], rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Seeds, mean and SD of growing standard normal samples [R, k], drawn look by look.

    Two samples have n1 n2 / (n1 + n2) times their squared distance as sum of squares between them (Chan, Golub &
    LeVeque 1983, The American Statistician 37, 242-247).
    """
    n, mean, squares = np.zeros(shape[1]), np.zeros(shape), np.zeros(shape)
    for many in seeds:
        more = np.maximum(np.asarray(many) - n, 0)
        own = rng.standard_normal(shape) / np.sqrt(np.maximum(more, 1))
        within = np.where(more > 1, rng.chisquare(np.maximum(more - 1, 1), shape), 0.0)
        both = np.maximum(n + more, 1)
        squares = squares + within + (own - mean) ** 2 * n * more / both
        mean, n = (n * mean + more * own) / both, n + more
        yield n, mean, np.sqrt(squares / np.maximum(n - 1, 1))


def _look(studies: Distances, most: int) -> Look:
    """What a look at simulated studies [R, k] shows; cells with fewer than two seeds show nothing."""
    shown, studies = np.asarray(studies.n) > 1, studies._replace(n=np.maximum(studies.n, 2))
    p_rep, p_far, p_run = studies.p_values()
    chance = partial(chance_for_number, studies, most)
    return look_at(shown, False, p_rep, np.maximum(p_far, p_run), chance)


def _verdict_rates(state: np.ndarray, claims: np.ndarray) -> np.ndarray:
    """Shares [claims, 3] of the verdicts over studies whose members' states are [R, k]."""
    own = [claims == claim for claim in np.unique(claims)]
    near = np.array([(state[:, cells] == State.REPRODUCED).any(1).mean() for cells in own])
    far = np.array([(state[:, cells] == State.NOT_REPRODUCED).all(1).mean() for cells in own])
    return np.stack([near, far, 1 - near - far], axis=-1)


def chance_to_decide(e: Evidence, n: ArrayLike, level_rep: float, level_not: float) -> np.ndarray:
    """The chance that a new study of n seeds decides a claim, mean and SD being those of the evidence; elementwise."""
    studies, se = _studies(e, n)
    return studies.chance_to_decide(level_rep, level_not, se, np.inf).mean(-1)


def chance_of_far_mean(e: Evidence, n: int, level: float) -> float:
    """The chance that a new study of n seeds finds the mean farther than the margin, whatever single runs do."""
    studies, se = _studies(e, n)
    error, df, *_ = studies.errors
    far = e.margin + stats.t.isf(level, df) * error + NO_DISTANCE
    return float((1 - chance_between(-far, far, studies.difference, se, np.inf)).mean())


def _studies(e: Evidence, n: ArrayLike) -> tuple[Distances, np.ndarray]:
    """What studies of n seeds find, and the true standard error of their means [..., 1].

    Their SDs vary as they do: [..., _SPREADS] equally likely values.
    """
    seeds = np.asarray(n)[..., None]
    sd = e.distance.sd * np.array([_relative_sds(int(one)) for one in np.ravel(n)]).reshape(*np.shape(n), _SPREADS)
    return e.distance._replace(sd=sd, n=seeds), e.distance.sd / np.sqrt(seeds)


@cache
def _relative_sds(n: int) -> np.ndarray:
    """Equally likely SDs of n runs, in units of the true one."""
    share = (np.arange(_SPREADS) + 0.5) / _SPREADS
    return np.sqrt(2 * special.gammaincinv((n - 1) / 2, share) / (n - 1))


def seeds_for_difference(excess: float, se: float, df: float, n: int, level: float) -> int | None:
    """The smallest number of seeds a cell with which a one-sided t test decides in POWER of studies, up to MOST_SEEDS.

    excess: how far the difference exceeds its bound, either way; se, df: as seen at n seeds a cell. The t statistic
    of a study of N is noncentral t with excess / se sqrt(N / n), its degrees of freedom growing as N - 1 (Welch &
    Satterthwaite's, too, where both cells grow alike).
    """
    finite(excess, se, df)
    if se <= 0 or n < 2:
        return None
    seeds = np.arange(2, MOST_SEEDS + 1)
    dfs = df * (seeds - 1) / (n - 1)
    chance = stats.nct.sf(stats.t.isf(level, dfs), dfs, abs(excess) / se * np.sqrt(seeds / n))
    enough = np.nan_to_num(chance, nan=1.0) >= POWER
    return int(seeds[enough.argmax()]) if enough.any() else None


def seeds_for_power(e: Evidence, level_rep: float, level_not: float) -> int | None:
    """The smallest number of seeds with which a new study decides with chance POWER; None if more than MOST_SEEDS.

    level_rep, level_not: what is asked of the claim's own p-values. Mean and SD are taken to be those of the evidence.
    """
    coarse = np.unique(np.geomspace(2, MOST_SEEDS, 60).astype(int))
    enough = chance_to_decide(e, coarse, level_rep, level_not) >= POWER
    if not enough.any():
        return None
    first = int(enough.argmax())
    between = np.arange(coarse[first - 1] + 1 if first else coarse[0], coarse[first] + 1)
    return int(between[(chance_to_decide(e, between, level_rep, level_not) >= POWER).argmax()])
