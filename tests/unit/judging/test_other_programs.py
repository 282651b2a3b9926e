"""Another program's accuracies beside the cells of an experiment."""

import pytest

import synthetic
from refashion.errors import UserError
from refashion.judging.facts import Facts
from refashion.judging.inputs import read_accuracies
from refashion.judging.run_table import RunTable
from refashion.judging.sections.runs import other_program
from refashion.study.config import load_study

ORIGINAL = synthetic.original()


def test_the_difference_is_welchs_against_each_cell_of_the_architecture(tmp_path):
    """The difference of means, and Welch's standard error by hand."""
    config = synthetic.config(seeds=5)
    config["experiments"]["original"]["beside"] = {"title": "t", "architecture": "lenet5", "file": "fit.csv"}
    study = load_study(config)
    (tmp_path / "fit.csv").write_text("seed,val_accuracy\n0,0.90\n1,0.91\n2,0.92\n", encoding="utf-8")
    runs = RunTable(synthetic.runs(study, synthetic.published(ORIGINAL), seed=1))
    facts = Facts(study, ORIGINAL, runs, beside={"original": read_accuracies(tmp_path / "fit.csv")})
    found = other_program(study.experiments[0], facts)
    (other,) = found.against
    own = facts.runs.sample(other.cell, "val_accuracy").values
    assert found.mean == pytest.approx(91)
    assert (other.cell.split("/")[0], other.n) == ("lenet5", 5)
    assert other.difference == pytest.approx(91 - own.mean())
    error = (1 / 3 + own.var(ddof=1) / 5) ** 0.5
    degrees = error**4 / ((1 / 3) ** 2 / 2 + (own.var(ddof=1) / 5) ** 2 / 4)
    assert 2 < degrees < 6
    low, high = other.interval
    assert (low + high) / 2 == pytest.approx(other.difference)
    assert 2.447 < (high - low) / 2 / error < 4.303  # t of .975 at 6 and at 2 degrees of freedom


@pytest.mark.parametrize("text", ["", "seed,val_accuracy\n", "seed,val_accuracy\n0,91.2\n", "seed,accuracy\n0,0.9\n"])
def test_a_file_of_anything_else_is_refused_in_one_sentence(tmp_path, text):
    path = tmp_path / "fit.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"fit\.csv"):
        read_accuracies(path)
