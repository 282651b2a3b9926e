"""The command that judges one printed number by somebody's own runs."""

import os
import subprocess
import sys

import numpy as np
import pytest

import judge
from project import PROJECT
from refashion.errors import UserError
from worked_examples import EQUIVALENCE, sample

RUNS = ["88.8", "88.2", "89.5", "89.1", "88.6"]


def test_five_runs_far_below_the_printed_number():
    text = judge.main(["91.97", *RUNS])
    # mean 88.84, SD sqrt(.972 / 4) = .49295; single runs 88.84 +- 2.776445 * .49295 * sqrt(1.2) = 88.84 +- 1.4993
    assert text.startswith(
        "Not reproduced: the mean of 5 runs is 3.13 pp below the published 91.97, farther than the margin of 0.53 pp, "
        "and the published number lies outside where single runs fall (87.34 to 90.34)."
    )
    assert "margin             0.53 pp (what 10,000 test images resolve)" in text
    assert "within the margin? no\n" in text
    assert "ordinary run of this recipe? no\n" in text


def test_a_documented_equivalence_test():
    # p = .003166881 at a margin of .6
    text = judge.main(["0", *map(str, EQUIVALENCE), "--margin", "0.6"])
    assert text.startswith(
        "Reproduced: the mean of 15 runs is 0.16 pp above the published 0.00, closer than the margin"
    )
    assert "p = 0.003 for closer" in text
    # the 90% interval printed there, -.0744336620516462 to .4037669953849797, reaches to the break-even margin
    assert "reproduced from 0.40 pp up" in text


def test_a_published_replication():
    # Moral judgements after organic food: see `test_closeness_of_two_means_of_a_published_replication`
    margin = 0.48 * np.sqrt((0.95**2 + 0.83**2) / 2)
    known = ("--published-sd", "0.83", "--published-n", "89", "--margin", str(margin))
    text = judge.main(["5.22", *map(str, sample(95, 5.25, 0.95)), *known])
    assert text.startswith(
        "Reproduced: the mean of 95 runs is 0.03 pp above the published mean of 89 runs, 5.22, closer than"
    )
    assert "p = 0.001 for closer" in text


def test_a_published_mean_has_an_error_of_its_own():
    x = sample(5, 91.5, 0.3)
    text = judge.main(["91.97", *map(str, x), "--published-sd", "0.2", "--published-n", "10", "--margin", "0.5"])
    assert text.startswith("Inconclusive: the mean of 5 runs is 0.47 pp below the published mean of 10 runs, 91.97")
    far = judge.main(["91.97", *RUNS, "--published-sd", "0.2", "--published-n", "10"])
    assert far.startswith("Not reproduced: ")
    # 88.84 -+ t(.975, 9) .2 sqrt(1/5 + 1/10) = .2478
    assert "0.53 pp, and the published number lies outside where means of 10 runs fall (88.59 to 89.09)" in far
    assert "another mean of 5 runs falls between 91.72 and 92.22" in far
    unknown = judge.main(["91.97", *RUNS, "--published-n", "10"])
    assert "mean 91.97 of 10 runs, SD taken as that of your runs" in unknown
    wild = judge.main(["91.97", *RUNS, "--published-sd", "5", "--published-n", "10"])
    assert wild.startswith("Inconclusive: ")


def test_an_unlucky_or_lucky_run_and_the_margin_beside_half_the_error():
    lucky = judge.main(["92", *map(str, sample(20, 91.3, 0.6))])
    assert lucky.startswith("Inconclusive: the mean of 20 runs is 0.70 pp below")
    assert "one lucky run would give it" in lucky
    wide = judge.main(["99.90", "99.85", "99.86", "99.84", "99.85", "--images", "10000"])
    assert "it exceeds half of the published error; within 0.05 pp: " in wide


def test_runs_from_a_column(tmp_path):
    table = tmp_path / "runs.csv"
    table.write_text("\ufeffseed,accuracy\n" + "\n".join(f"{i},{run}" for i, run in enumerate(RUNS)) + "\n9,\n")
    assert judge.main(["91.97", str(table), "--column", "accuracy"]) == judge.main(["91.97", *RUNS])


def test_one_run_decides_nothing():
    text = judge.main(["91.97", "88.8"])
    assert text.startswith("Inconclusive: cannot say, because one seed gives no interval.")
    mean = judge.main(["91.97", "88.8", "--published-sd", "0.2", "--published-n", "10"])
    assert mean.startswith("Inconclusive: cannot say, because one seed gives no interval.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["91.97", "88.8", "x"], "a run is 'x'; allowed is a finite number"),
        (["nan", "88.8"], "the published number is 'nan'"),
        (["0.9197", "0.888", "0.882"], "the published number and the runs lie between 0 and 1; give percentages"),
        (["91.97", "0.888", "0.882"], "the runs lie between 0 and 1; give percentages"),
        (["0.9197", "88.8", "88.2"], "the published number lies between 0 and 1; give percentages"),
        (["91.97", "888"], "888 is no percentage"),
        (["91.97", *RUNS, "--margin", "-1"], "--margin is -1; allowed is a number from 0 up"),
        (["91.97", *RUNS, "--images", "0"], "--images is 0"),
        (["91.97", *RUNS, "--published-sd", "0.2"], "--published-sd needs --published-n"),
        (["91.97", *RUNS, "--published-sd", "0.2", "--published-n", "1"], "a number of runs, 2 or more"),
        (["91.97", "none.csv", "--column", "a"], "none.csv cannot be read as a CSV file: No such file"),
        (["91.97", *RUNS, "--column", "a"], "--column reads one CSV file, and 5 were named"),
    ],
)
def test_bad_input_is_one_sentence(arguments, sentence):
    with pytest.raises(UserError) as caught:
        judge.main(arguments)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("seed\n1\n", "has no column 'accuracy'; its columns are: seed."),
        ("", "has no column 'accuracy'; its columns are: none."),
        ("accuracy\n\n", "holds no number"),
        ("accuracy\nhigh\n", "a cell of column 'accuracy'"),
    ],
)
def test_a_bad_table_is_one_sentence(tmp_path, content, sentence):
    (tmp_path / "runs.csv").write_text(content)
    with pytest.raises(UserError, match=r"runs\.csv") as caught:
        judge.main(["91.97", str(tmp_path / "runs.csv"), "--column", "accuracy"])
    assert sentence in str(caught.value)


def test_the_command_needs_neither_tensorflow_nor_snakemake_and_tells_its_errors():
    script = PROJECT / "workflow" / "scripts" / "judge.py"
    code = (
        "import sys; sys.modules.update(tensorflow=None, keras=None, snakemake=None, pandas=None); "
        f"sys.argv = ['judge.py', '91.97', *{RUNS}]; import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=script.parent)
    assert done.stdout.startswith("Not reproduced: "), done.stderr
    failed = subprocess.run([sys.executable, script, "x", "1"], capture_output=True, text=True, check=False)
    assert (failed.returncode, failed.stderr[:10]) == (1, "judge.py: ")
    assert "Traceback" not in failed.stderr


def test_whoever_reads_may_stop_reading():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, str(PROJECT / "workflow" / "scripts" / "judge.py"), "91.97", "88.8", "88.2"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, encoding="utf-8", check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
