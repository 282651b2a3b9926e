"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from refashion.inference.factorial import anova, logit_percent
from worked_examples import RATINGS

# NIST StRD, SiRstv: silicon resistivity by five instruments, with certified values.
SIRSTV = [
    [196.3052, 196.1240, 196.1890, 196.2569, 196.3403],
    [196.3042, 196.3825, 196.1669, 196.3257, 196.0422],
    [196.1303, 196.2005, 196.2889, 196.0343, 196.1811],
    [196.2795, 196.1748, 196.1494, 196.1485, 195.9885],
    [196.2119, 196.1051, 196.1850, 196.0052, 196.2090],
]


def test_anova_of_nist_sirstv():
    result = anova(np.ravel(SIRSTV), {"instrument": np.repeat([1, 2, 3, 4, 5], 5)})
    (effect,) = result.effects
    assert (effect.name, effect.df, result.residual_df) == ("instrument", 4, 20)
    assert effect.f == pytest.approx(1.18046237440255, rel=1e-9)
    assert result.residual_sd == pytest.approx(0.104076068334656, rel=1e-9)
    # omega^2 = df (F - 1) / (df (F - 1) + N), from the certified F
    assert effect.partial_omega2 == pytest.approx(4 * 0.18046237440255 / (4 * 0.18046237440255 + 25), rel=1e-8)


# NIST StRD, AtmWtAg: atomic weight of silver by two instruments (Powell, Murphy & Gramlich 1982), certified values.
ATMWTAG = 107.868 + 1e-7 * np.array([
    1568, 1465, 1572, 1785, 1446, 1903, 1526, 1494, 1616, 1587, 1519, 1486, 1419, 1569, 1508, 1672, 1385, 1518,
    1662, 1424, 1360, 1333, 1610, 1477, 1079, 1344, 1513, 1197, 1604, 1385, 1642, 1365, 1151, 1082, 1517, 1448,
    1198, 1482, 1334, 1609, 1101, 1512, 1469, 1360, 1254, 1261, 1450, 1368,
])  # fmt: skip


def test_anova_of_nist_atmwtag_whose_numbers_agree_in_seven_digits():
    result = anova(ATMWTAG, {"instrument": np.repeat([1, 2], 24)})
    (effect,) = result.effects
    assert (effect.df, result.residual_df) == (1, 46)
    assert effect.f == pytest.approx(15.9467335677930, rel=1e-9)


def test_anova_type_ii_of_r_mtcars():
    # R, car::Anova(lm(wt ~ factor(cyl) * factor(am), mtcars), type = 2): an unbalanced table, where the types differ
    wt = [
        2.620, 2.875, 2.320, 3.215, 3.440, 3.460, 3.570, 3.190, 3.150, 3.440, 3.440, 4.070, 3.730, 3.780, 5.250, 5.424,
        5.345, 2.200, 1.615, 1.835, 2.465, 3.520, 3.435, 3.840, 3.845, 1.935, 2.140, 1.513, 3.170, 2.770, 3.570, 2.780,
    ]  # fmt: skip
    cyl = [6, 6, 4, 6, 8, 6, 8, 4, 4, 6, 6, 8, 8, 8, 8, 8, 8, 4, 4, 4, 4, 8, 8, 8, 8, 4, 4, 4, 8, 6, 8, 4]
    am = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]
    result = anova(wt, {"cyl": cyl, "am": am})
    table = [(e.name, round(e.ss, 4), e.df, round(e.f, 4)) for e in result.effects]
    assert table == [("cyl", 7.2278, 2, 11.5266), ("am", 3.2845, 1, 10.4758), ("cyl:am", 0.0668, 2, 0.1065)]
    assert [e.p for e in result.effects] == pytest.approx([0.0002606, 0.0032895, 0.8993714], rel=2e-4)
    assert (round(result.residual_sd**2 * 26, 4), result.residual_df) == (8.1517, 26)


def test_anova_with_a_block_by_shrout_and_fleiss():
    targets, judges = np.indices(RATINGS.shape)
    result = anova(RATINGS.ravel(), {"judge": judges.ravel()}, block=targets.ravel())
    judge, block = result.effects
    assert (judge.name, block.name, result.residual_df) == ("judge", "block", 15)
    assert judge.ss / judge.df == pytest.approx(32.49, abs=5e-3)
    assert block.ss / block.df == pytest.approx(11.24, abs=5e-3)
    assert result.residual_sd**2 == pytest.approx(1.02, abs=5e-3)


def test_anova_names_all_interactions_and_survives_odd_names():
    rng = np.random.default_rng(0)
    levels = list(itertools.product("ab", "xy", ["no'ne", "C(q)~ +"], range(3)))
    architecture, fraction, augmentation, seeds = zip(*levels, strict=True)
    y = rng.normal(91, 0.2, 24) + 0.5 * np.array([a == "b" and f == "y" for a, f, _, _ in levels])
    factors = {"architecture": architecture, "data fraction": fraction, "augment*": augmentation}
    result = anova(y, factors, block=seeds)
    assert [e.name for e in result.effects] == [
        "architecture", "data fraction", "augment*", "architecture:data fraction", "architecture:augment*",
        "data fraction:augment*", "architecture:data fraction:augment*", "block",
    ]  # fmt: skip
    total = sum(e.ss for e in result.effects) + result.residual_sd**2 * result.residual_df
    assert total == pytest.approx(np.square(y - y.mean()).sum())  # balanced: the parts add up
    assert result.effects[3].p < 0.01


def test_anova_hc3_tests_the_contrast_of_equally_weighted_cell_means():
    # Against HC3 in matrix form (MacKinnon & White 1985) on a design of cells and blocks, spread growing with the cell
    rng = np.random.default_rng(0)
    cell, block = np.repeat(range(4), 5), np.tile(range(5), 4)
    y = 91 + 0.1 * cell + rng.normal(0, 0.1 + 0.3 * cell) + rng.normal(0, 0.2, 5)[block]
    design = np.column_stack([np.eye(4)[cell], (np.eye(5) - 1 / 5)[block][:, 1:]])
    inverse = np.linalg.inv(design.T @ design)
    estimate = inverse @ design.T @ y
    weight = ((y - design @ estimate) / (1 - np.einsum("ij,jk,ik->i", design, inverse, design))) ** 2
    covariance = inverse @ (design.T * weight) @ design @ inverse
    result = anova(y, {"a": cell // 2, "b": cell % 2}, block, hc3=True)
    for effect, signs in zip(result.effects, ([-1, -1, 1, 1], [-1, 1, -1, 1], [1, -1, -1, 1]), strict=False):
        contrast = np.array([*signs, 0, 0, 0, 0])
        expected = (contrast @ estimate) ** 2 / (contrast @ covariance @ contrast)
        assert effect.f == pytest.approx(expected, rel=1e-9)
        assert effect.p == pytest.approx(stats.f.sf(expected, 1, 20 - 8), rel=1e-9)


def test_anova_says_why_not():
    result = anova([1, 1, 2, 2], {"a": list("xxyy")})
    assert result.effects == ()
    assert result.reason == "cannot say, because nothing varies between runs of a cell"


def test_log_odds_exist_between_none_and_all():
    assert logit_percent([0.5, 50, 99.5]) == pytest.approx([math.log(0.005 / 0.995), 0, math.log(0.995 / 0.005)])
    for bad in (0, 100, -1, 101):
        with pytest.raises(ValueError, match=r"^log odds exist between 0 and 100 percent, both excluded$"):
            logit_percent([50, bad])
