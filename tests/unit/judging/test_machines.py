"""The same seed on other machines, by hand."""

import pandas as pd

import synthetic
from refashion.judging.facts import Facts
from refashion.judging.run_table import RunTable
from refashion.judging.sections.variance import variance

STUDY = synthetic.study(["losses"], seeds=3)
CATEGORICAL, SPARSE = "lenet5/60k/none/b32_e20", "lenet5/60k/none/b32_e20_sparse"


def found(values, cpus):
    """What is said of a study of these two cells: validation accuracies and processors by (cell, seed)."""
    runs = synthetic.runs(STUDY, synthetic.Truth(), seed=0)
    names = synthetic.names(runs)
    keys = pd.Series(list(zip(names, runs["seed"], strict=True)))
    runs = runs.assign(
        val_accuracy=keys.map(values).fillna(90.0).astype(float),
        cpu=[cpus.get(key, "a processor") for key in keys],
        status=["finished" if name in (CATEGORICAL, SPARSE) else "missing" for name in names],
    )
    return variance(Facts(STUDY, synthetic.original(), RunTable(runs))).machines.replace("\u00a0", " ")


VALUES = {
    **{(CATEGORICAL, seed): value for seed, value in enumerate((90.0, 90.4, 91.0))},
    **{(SPARSE, seed): value for seed, value in enumerate((90.3, 90.0, 91.0))},
}


def test_gaps_are_of_one_seed_on_two_machines():
    told = found(VALUES, {(SPARSE, 0): "another", (SPARSE, 1): "another"})
    # gaps of .3 and .4: root mean square .354; squares about the means 90 7/15 and 90 13/30: SD sqrt(1.0333 / 4)
    assert told.startswith(
        "The same seed on another kind of machine gives another number: 2 pairs of runs, of one function under two "
        "names of its loss, end 0.35 pp apart (root mean square), 0.40 pp at most; their cells have an SD of 0.51 pp "
        "over seeds. On one kind of machine, 1 such pair is equal."
    )


def test_gaps_on_one_kind_of_machine_are_told_by_the_largest():
    apart = {(SPARSE, 0): "another"}
    assert "On one kind of machine, 2 such pairs are at most 0.40 pp apart." in found(VALUES, apart)


def test_a_cell_of_several_machines_has_a_component():
    told = found(VALUES, {(SPARSE, 0): "another", (SPARSE, 1): "another"})
    # groups 90.3, 90.0 and 91.0: MS of machines (91 - 90.15)^2 * 2 / 3, of runs .045, n0 = 3 - 5 / 3
    sd = ((0.85**2 * 2 / 3 - 0.045) / (4 / 3)) ** 0.5
    assert (
        "In 1 cell whose runs come from several kinds of machine, machines differ by an SD of "
        f"{sd:.2f} pp beyond what seeds explain (interval 0.00 to "
    ) in told


def test_nothing_is_said_of_one_machine():
    assert found(VALUES, {}) == ""
