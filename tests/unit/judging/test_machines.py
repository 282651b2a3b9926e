"""The same seed on other machines, by hand."""

import pandas as pd
import pytest

import synthetic
from refashion.judging.facts import Facts
from refashion.judging.run_table import RunTable
from refashion.judging.sections.variance import variance

STUDY = synthetic.study(["losses"], seeds=3)
CATEGORICAL, SPARSE = "lenet5/60k/none/b32_e20", "lenet5/60k/none/b32_e20_sparse"


def found(values, cpus):
    """The section of a study of these two cells: validation accuracies and processors by (cell, seed)."""
    runs = synthetic.runs(STUDY, synthetic.Truth(), seed=0)
    names = runs[["architecture", "fraction", "augmentation", "recipe"]].agg("/".join, axis=1)
    keys = pd.Series(list(zip(names, runs["seed"], strict=True)))
    runs = runs.assign(
        val_accuracy=keys.map(values).fillna(90.0).astype(float),
        cpu=[cpus.get(key, "a processor") for key in keys],
        status=["finished" if name in (CATEGORICAL, SPARSE) else "missing" for name in names],
    )
    return variance(Facts(STUDY, synthetic.original(), RunTable(runs))).machines


VALUES = {
    **{(CATEGORICAL, seed): value for seed, value in enumerate((90.0, 90.4, 91.0))},
    **{(SPARSE, seed): value for seed, value in enumerate((90.3, 90.0, 91.0))},
}


def test_gaps_are_of_one_seed_on_two_machines():
    given = found(VALUES, {(SPARSE, 0): "another", (SPARSE, 1): "another"})
    assert (given.pairs, given.alike) == (2, 1)
    assert given.largest == pytest.approx(0.4)
    assert given.rms == pytest.approx(((0.3**2 + 0.4**2) / 2) ** 0.5)
    # squares about the means 90 7/15 and 90 13/30
    assert given.seed_sd == pytest.approx(((0.5066667 + 0.5266667) / 4) ** 0.5)
    assert given.alike_largest == 0
    assert given.words.replace("\u00a0", " ").startswith(
        "The same seed on another kind of machine gives another number: 2 pairs of runs, of one function under two "
        "names of its loss, end 0.35 pp apart (root mean square), 0.40 pp at most; their cells have an SD of 0.51 pp "
        "over seeds. On one kind of machine, 1 such pair is equal."
    )


def test_a_cell_of_several_machines_has_a_component():
    given = found(VALUES, {(SPARSE, 0): "another", (SPARSE, 1): "another"})
    assert given.cells == [SPARSE]
    # groups 90.3, 90.0 and 91.0: MS of machines (91 - 90.15)^2 * 2 / 3, of runs .045, n0 = 3 - 5 / 3
    assert given.component.variance == pytest.approx((0.85**2 * 2 / 3 - 0.045) / (4 / 3))
    assert (
        "In 1\u00a0cell whose runs come from several kinds of machine, machines differ by an SD of 0.57 pp"
        in given.words
    )


def test_nothing_is_said_of_one_machine():
    given = found(VALUES, {})
    assert (given.pairs, given.alike, given.cells, given.component, given.words) == (0, 3, [], None, "")
