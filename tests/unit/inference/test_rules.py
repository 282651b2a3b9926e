"""Rival rules against published examples, closed forms and independent implementations."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from refashion.inference.evidence import weigh
from refashion.inference.rules import (
    SUBSTANTIAL,
    bayes_rule,
    log_bayes_factor,
    pooled_rule,
    pooled_spread,
    predictive_log_density,
)
from refashion.inference.verdicts import judge_family
from worked_examples import sample


def test_bartlett_of_the_nist_handbook():
    # NIST/SEMATECH e-Handbook, 1.3.5.7 (GEAR.DAT): batch SDs of ten gears each, statistic 20.78580, 9 df
    sds = [0.00435, 0.00522, 0.00397, 0.00385, 0.00758, 0.00989, 0.00788, 0.00363, 0.00414, 0.00533]
    found = pooled_spread([sample(10, 1, sd, seed=i) for i, sd in enumerate(sds)])
    assert found.df == 90
    assert found.sd == pytest.approx(math.sqrt(np.mean(np.square(sds))))
    assert found.p == pytest.approx(stats.chi2.sf(20.78580, 9), rel=0.02)  # the SDs are printed to three digits


def test_the_pooled_spread_is_the_residual_of_an_analysis_of_variance():
    cells = [sample(4, 91, 0.1), sample(7, 92, 0.5), [90.0], sample(3, 89, 0.2)]
    found = pooled_spread(cells)
    assert found.df == 11
    assert found.sd == pytest.approx(math.sqrt((3 * 0.01 + 6 * 0.25 + 2 * 0.04) / 11))
    assert pooled_spread([[90.0], []]).reason == "cannot say, because no cell has two runs"
    constant = pooled_spread([[90.0, 90.0], sample(3, 1, 0.1)])
    assert (constant.p, constant.reason[:10]) == (None, "cannot tes")


def test_the_pooled_rule_is_ours_where_the_family_has_one_cell():
    for mean in (92.0, 92.3, 92.6, 93.5):
        x = sample(6, mean, 0.2)
        e = weigh(x, 92, 0.5)
        assert pooled_rule([e], pooled_spread([x])) == (judge_family([e])[0].verdict,)


def test_the_pooled_rule_lends_a_cell_the_certainty_of_the_others():
    cells = [sample(3, 92.2, 0.25), sample(10, 92, 0.25, seed=1), sample(10, 95, 0.25, seed=2)]
    family = [weigh(x, 92, 0.53) for x in cells]
    assert [v.verdict for v in judge_family(family)] == ["inconclusive", "reproduced", "not reproduced"]
    assert pooled_rule(family, pooled_spread(cells)) == ("reproduced", "reproduced", "not reproduced")
    lost = [weigh([], 92, 0.5), weigh(cells[1], 92, 0.5, diverged=1)]
    assert pooled_rule(lost, pooled_spread(cells)) == (None, "inconclusive")
    assert pooled_rule([weigh([], 92, 0.5)], pooled_spread([])) == (None,)


def density(x, published, image_variance=0.0, **printed):
    return predictive_log_density(weigh(x, published, 0.5, image_variance, **printed))


def test_the_predictive_density_is_a_t_density_and_integrates_to_one():
    x = sample(5, 91.0, 0.2)
    scale = 0.2 * math.sqrt(1.2)
    # t(4) density: 3/8 (1 + t^2 / 4)^(-5/2)
    t = (91.5 - 91.0) / scale
    assert density(x, 91.5) == pytest.approx(math.log(0.375 * (1 + t * t / 4) ** -2.5 / scale), rel=1e-9)
    total = integrate.quad(lambda y: math.exp(density(x, y)), 71, 111, points=[91])[0]
    assert total == pytest.approx(1, abs=1e-3)
    # the convolution with a normal error, by quadrature
    by_hand = integrate.quad(
        lambda z: stats.t.pdf(91.5 - 91 - z, 4, scale=scale) * stats.norm.pdf(z, scale=math.sqrt(0.05)), -3, 3
    )[0]
    assert math.exp(density(x, 91.5, 0.05)) == pytest.approx(by_hand, rel=1e-6)
    # a mean of ten strays less: s sqrt(1/5 + 1/10)
    expected = stats.t.logpdf(0.5, 4, scale=0.2 * math.sqrt(0.3))
    assert density(x, 91.5, printed_runs=10) == pytest.approx(expected, rel=1e-9)
    assert density([91.0], 91.0) is density([91.0, 91.0], 91.0) is None


def test_the_bayes_factor_prefers_the_cell_that_predicts_the_number():
    def factor(own, rival, published):
        return log_bayes_factor(weigh(own, published, 0.5), weigh(rival, published, 0.5))

    near, far = sample(5, 92.0, 0.3), sample(5, 91.0, 0.3, seed=1)
    found = factor(near, far, 92.1)
    assert found == pytest.approx(-factor(far, near, 92.1))
    assert bayes_rule(found) is True
    assert bayes_rule(-found) is False
    assert factor(near, far, 91.5) == pytest.approx(0, abs=1e-9)  # half way between equal spreads
    assert bayes_rule(math.log(SUBSTANTIAL) - 1e-9) is bayes_rule(None) is None
    assert factor(near, [91.0], 92.0) is None


def test_the_pooled_rule_takes_the_pooled_sd_for_a_cell_that_spreads_more_or_ran_once():
    steady = [sample(10, 92, 0.2, seed=1), sample(10, 92, 0.2, seed=2)]
    wide = sample(3, 92.1, 0.6)
    assert pooled_rule([weigh(wide, 92, 0.53)], pooled_spread([*steady, wide])) == ("reproduced",)
    once = weigh([92.2], 92, 0.53)  # (.53 - .2) / .2 = 1.65 of 18 degrees of freedom: .058; of two runs .016
    assert pooled_rule([once], pooled_spread(steady)) == ("inconclusive",)
    assert pooled_rule([weigh([92.1], 92, 0.53)], pooled_spread(steady)) == ("reproduced",)


def test_the_pooled_rule_decides_nothing_where_no_cell_has_two_runs_or_one_diverged():
    assert pooled_rule([weigh([91.0], 92, 0.5)], pooled_spread([[91.0]])) == (None,)
    far = sample(10, 95, 0.25)
    assert pooled_rule([weigh(far, 92, 0.53, diverged=1)], pooled_spread([far])) == ("inconclusive",)


def test_two_cells_that_vary_are_enough_for_bartletts_test():
    a, b = sample(5, 92, 0.2), sample(5, 92, 0.4, seed=1)
    assert pooled_spread([a, b]).p == pytest.approx(stats.bartlett(a, b).pvalue)


def test_a_bayes_factor_that_is_just_substantial_says_so():
    assert bayes_rule(math.log(SUBSTANTIAL)) is True
    assert bayes_rule(-math.log(SUBSTANTIAL)) is False
    two = weigh(sample(5, 92.0, 0.3), 92, 0.5)
    assert log_bayes_factor(weigh([92.0], 92, 0.5), two) is log_bayes_factor(two, weigh([92.0], 92, 0.5)) is None
