"""The study as rules.

    prepare_data -> train (one job a run) -> (plan_seeds, hold_look -> train ...) -> collect -> analyse -> figures -> report

A run is a cell (architecture x fraction x augmentation x recipe) and a seed. config/config.yaml says which cells there are
and which experiments want them.
"""

import json
import os
import re
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

if Path(workflow.basedir) != Path(str(workflow.current_basedir)):
    sys.exit(
        "refashion's Snakefile is a whole workflow, whose config, scripts and published runs lie beside it, and no part of "
        "another (module:, include:); run it by itself: snakemake --snakefile .../Snakefile --directory FOLDER"
    )
sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))
from refashion.study.original import check_original, original_path, read_original
from refashion.study.config import load_study, read_config
from refashion import provenance, yaml_files
from refashion.errors import UserError
from refashion.project import call_python_by_name
from refashion.study.model import NUMERICS, Run, digest
from refashion.telling import exports, source
from refashion.telling.figures import catalogue
from refashion.training import devices, seeds
from refashion.training.run_store import published_in
from refashion.upkeep import publishing, verification

PROJECT = Path(workflow.basedir)

call_python_by_name()

STORE, PLANS = "results/store", "results/seeds"
# The config is read here, since Snakemake takes the last of two equal keys without a word, merges seeds, and leaves the
# numbers inside of `--config limits={images: 500}` texts.
OVERLAYS = [Path(path) for path in workflow.overwrite_configfiles]
settings = yaml_files.typed(workflow.config_settings.config)
try:
    study = load_study(read_config((PROJECT / "config" / "config.yaml", *OVERLAYS), settings))
    ORIGINAL = original_path(study.config["original"], OVERLAYS, PROJECT)
    if workflow.is_main_process:  # before any job, not in each: the rules that read the file check it again
        check_original(read_original(ORIGINAL), study)
        if study.looks:  # a dry run, too, says where the study stands
            print(seeds.told(study, PLANS), file=sys.stderr)
except UserError as error:
    sys.exit(str(error))
for path in (PROJECT, ORIGINAL):
    if re.search("[{}]", str(path)):
        sys.exit(f"{path}: Snakemake takes braces in the path of a script or an input for wildcards; rename it.")
config.update(study.config)  # with its defaults, as the scripts get it


report: "report/workflow.rst"


PUBLISHED = publishing.folder_of(ORIGINAL, PROJECT)
BENCHMARK, RESTORED_BENCHMARK = "benchmarks/benchmark.csv", "benchmarks/published.csv"
RUN = "results/runs/{architecture}/{fraction}/{augmentation}/{recipe}/seed-{seed}"
DATASETS = sorted({study.dataset(cell) for cell in study.cells()})
SET = [f"{key}={json.dumps(value)}" for key, value in settings.items()]


def given(overlays):
    """What a command that is about this study ends with."""
    files = f" --configfile {shlex.join(map(str, overlays))}" if overlays else ""
    return files + (f" --config {shlex.join(SET)}" if SET else "")


def elsewhere(path):
    """A path on a page, which is read elsewhere: as from the folder of the study, or from a clone."""
    return next((path.relative_to(folder) for folder in (Path.cwd(), PROJECT) if path.is_relative_to(folder)), path)


GIVEN, GIVEN_ELSEWHERE = given(OVERLAYS), given([elsewhere(path) for path in OVERLAYS])
# Every word and number of the config makes the analysis and the report old. So each has an output of the config's name:
# that one lacks after an edit, even where Snakemake's notes are lost or only times count.
ANALYSED, TOLD = (f"results/config/{what}/{digest(study.config)}.json" for what in ("analysed", "told"))
# What of the config makes a rule's results old, beyond its input files: which runs there are. As functions, because
# Snakemake would read braces in a text as wildcards.
SEEDS = {"seeds": lambda wildcards: json.dumps([study.config[key] for key in ("seeds", "run", "experiments")])}
# An edit of the code or the templates judges and tells anew, in seconds. It never trains anew: see `numerics`.
TELLING = {"telling": lambda wildcards: provenance.digest([PROJECT / "report", PROJECT / "workflow" / "scripts"])}
JUDGING = {
    "judging": lambda wildcards: provenance.digest([PROJECT / "workflow" / "scripts"]),
    "settings": lambda wildcards: json.dumps([study.config[key] for key in ("analysis", "fractions", "datasets")]),
}
# Runs ask for a GPU where there is one. `--resources gpu=N` is how many may be busy at a time, else all are; on a cluster
# the profile asks, since the machine that submits the jobs may have none.
VISIBLE = () if study.config["device"] == "cpu" else devices.usable_gpus()
GPUS = min(1, len(VISIBLE))
if GPUS and workflow.is_main_process and not {"gpu", "one_at_a_time"} & set(workflow.global_resources):
    workflow.register_resource("gpu", len(VISIBLE))  # without a word of the command line a run on each, not a run a core


def as_it_is(text):
    """A text for `params`. As a function, because Snakemake would read braces in it as wildcards."""
    return lambda wildcards: str(text)


def text_of_original(wildcards):
    """The judged report's own text, where it is kept: beside the file that describes it."""
    return source.text_beside(ORIGINAL) or []


def twin_metrics(wildcards):
    """The metrics of the same run under another name, which is to be trained first."""
    twin = study.twin(Run.of(wildcards))
    return [] if twin is None else f"{twin.folder}/metrics.json"


def metrics(runs):
    """Where Snakemake sees that these runs have ended."""
    return [f"{run.folder}/metrics.json" for run in runs]


def held_looks(most):
    """The tables of the first looks, at most so many, each as soon as it exists; none after one that wants no more."""
    found = []
    for look in range(1, most + 1):
        found.append(checkpoints.hold_look.get(look=look).output[0])
        if not any(row["claims"] for row in seeds.read_look(study, PLANS, look).values()):
            break
    return found


def plans_of_seeds(wildcards):
    """The plans of the seeds that are not known at first: of the pilots' second stage, and of every look."""
    pilots = [checkpoints.plan_seeds.get().output[0]] if study.pilots else []
    return pilots + held_looks(study.looks.held if study.looks else 0)


def metrics_of_look(wildcards):
    """The metrics of the runs that a look judges, which the looks before it ask for."""
    before = int(wildcards.look) - 1
    held_looks(before)
    return metrics(seeds.with_plans(study.alone(study.looking), PLANS, looks=before).runs())


def metrics_of_planned_runs(wildcards):
    """The metrics of the runs that are not known at first, once they are."""
    plans_of_seeds(wildcards)
    known = set(study.runs())
    return metrics(run for run in seeds.with_plans(study, PLANS).runs() if run not in known)


def published_data(wildcards):
    """The data set of the published runs, whichever this study trains on."""
    try:
        return f"results/data/{verification.dataset(PUBLISHED, study.config['datasets'])}.npz"
    except UserError as error:
        raise WorkflowError(str(error))


def other_programs():
    """The accuracies that other programs reached, beside the experiments that run."""
    beside = (study.config["experiments"][experiment.name].get("beside") for experiment in study.experiments)
    return [PROJECT / one["file"] for one in beside if one]


def shown_table(name):
    """A table that Snakemake's own report shows, too."""
    place, labels = f"results/{name}.csv", {"table": name.capitalize()}
    return report(place, caption=f"report/captions/{name}.rst", category="Tables", labels=labels)


def benchmark_table(wildcards):
    """The benchmark's table: measured here, or else restored with the published runs; nothing where there is neither."""
    return next((table for table in (BENCHMARK, RESTORED_BENCHMARK) if Path(table).exists()), [])


wildcard_constraints:
    **study.constraints(),
    look=r"\d+",


localrules:
    all,
    benchmark,
    cost,
    publish,
    restore,


rule all:
    input:
        "results/report.html",
        TOLD,


rule prepare_data:
    output:
        data="results/data/{dataset}.npz",
        facts="results/data/{dataset}.json",
    params:
        # Where it is had from makes no data set old.
        files=lambda wildcards: study.config["datasets"][wildcards.dataset]["files"],
        classes=lambda wildcards: study.config["datasets"][wildcards.dataset]["classes"],
    log:
        "logs/prepare_data/{dataset}.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/prepare_data.py"


# One run. A run that the store has is copied; a run that another name also asks for waits for that one and is copied.
# The data's age makes no run old: the spec names its hashes, and a training holds the file against them.
rule train:
    input:
        data=lambda wildcards: ancient(f"results/data/{study.dataset(Run.of(wildcards).cell)}.npz"),
        twin=twin_metrics,
    output:
        f"{RUN}/metrics.json",
        f"{RUN}/history.csv",
        f"{RUN}/predictions.npz",
    params:
        spec=lambda wildcards: study.spec(Run.of(wildcards)),
        store=STORE,
    threads: 1
    resources:
        gpu=GPUS,
    log:
        "logs/train/{architecture}/{fraction}/{augmentation}/{recipe}/seed-{seed}.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/train.py"


# Seeds that stop by themselves: one plan for all pilot cells, after all pilot runs.
checkpoint plan_seeds:
    input:
        metrics(study.pilot_runs()),
    output:
        seeds.pilots_table(PLANS),
    params:
        **SEEDS,
        confidence=study.config["analysis"]["confidence"],
    log:
        "logs/plan_seeds.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/plan_seeds.py"


# Seeds that are added for the claims that want them: a look at all claims, once the runs that the look before asked for
# have ended. Its table says how many seeds each cell gets next; a look that no claim wants ends the chain.
checkpoint hold_look:
    input:
        runs=metrics_of_look,
        original=ORIGINAL,
    output:
        seeds.look_table(PLANS, "{look}"),
    params:
        **SEEDS,
        **JUDGING,
    log:
        "logs/hold_look/{look}.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/hold_look.py"


# Every run's numbers, learning curves and predictions as tables; accuracies become percent here and nowhere else.
rule collect:
    input:
        metrics(study.runs()),  # before any plan, so that no run waits for one without need
        metrics_of_planned_runs,
        plans_of_seeds,
        data=expand("results/data/{dataset}.npz", dataset=DATASETS),
    output:
        runs="results/runs.csv",
        histories="results/histories.csv.gz",
        predictions="results/predictions.npz",
    params:
        **SEEDS,
        **TELLING,
        plans=PLANS,
        published=lambda wildcards: " ".join(published_in(PUBLISHED).names()),
    log:
        "logs/collect.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/collect.py"


# The networks as they were built: every layer, its output shape and parameters, to hold against the original's summaries.
rule describe_architectures:
    input:
        original=ORIGINAL,
    output:
        "results/architectures.json",
    params:
        architectures=study.architectures(),
        numerics=NUMERICS,
        store=STORE,
        # not `sources`: where a data set is had from makes nothing old
        datasets={name: {key: study.config["datasets"][name][key] for key in ("files", "classes")} for name in DATASETS},
    log:
        "logs/describe_architectures.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/describe_architectures.py"


# Intervals, tests, effects, and a verdict on every claim of the original.
rule analyse:
    input:
        # Named again, since Snakemake asks `collect` for no plan where tables of another study look complete.
        plans_of_seeds,
        runs="results/runs.csv",
        histories="results/histories.csv.gz",
        predictions="results/predictions.npz",
        architectures="results/architectures.json",
        facts=expand("results/data/{dataset}.json", dataset=DATASETS),
        original=ORIGINAL,
        benchmark=benchmark_table,
        beside=other_programs(),
    output:
        **{name: shown_table(name) for name in ("cells", "comparisons", "claims", "effects")},
        analysis="results/analysis.json",
        schema="results/analysis.schema.json",
        config=ANALYSED,
    params:
        **TELLING,
        plans=PLANS,
    log:
        "logs/analyse.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/analyse.py"


# What each augmentation does to one garment of each class, by the code that training uses.
rule augmentation_examples:
    input:
        data=expand("results/data/{dataset}.npz", dataset=DATASETS),
        original=ORIGINAL,
    output:
        "results/augmentation_examples.npz",
    params:
        store=STORE,
        numerics=NUMERICS,
        augmentations=study.augmentations(),
        datasets={name: study.config["datasets"][name]["files"] for name in DATASETS},
    log:
        "logs/augmentation_examples.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/augmentation_examples.py"


# The figures as files, with the data of each, and all together for the page.
rule figures:
    input:
        analysis="results/analysis.json",
    output:
        [
            report(
                f"results/figures/{name}.svg",
                caption=f"report/captions/{name}.rst",
                category="Figures",
                labels={"figure": catalogue.title_in_a_list(name)},
            )
            if catalogue.possible(name, study.config["run"])
            else f"results/figures/{name}.svg"
            for name in catalogue.NAMES
        ],
        expand("results/figures/{name}.{kind}", name=catalogue.NAMES, kind=catalogue.KINDS[1:]),
        drawings="results/figures/drawings.json",
    params:
        **TELLING,
    log:
        "logs/figures.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/figures.py"


# One self-contained HTML file, and its main tables as CSV, LaTeX and Markdown.
rule report:
    input:
        analysis="results/analysis.json",
        config=ANALYSED,
        data=expand("results/data/{dataset}.npz", dataset=DATASETS),
        examples="results/augmentation_examples.npz",
        drawings="results/figures/drawings.json",
        runs="results/runs.csv",  # which must be those that the config asks for
        text=text_of_original,
    output:
        page=report(
            "results/report.html", caption="report/captions/report.rst", category="Report", labels={"page": "The report"}
        ),
        tables=exports.TABLES,
        config=TOLD,
    params:
        **TELLING,
        plans=PLANS,
        overlays=as_it_is(GIVEN_ELSEWHERE),
    log:
        "logs/report.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/report.py"


# The same page from the finished runs in the store, whatever failed or is still under way. It has no output on purpose,
# so that it is made anew each time it is asked for: snakemake report_partial
rule report_partial:
    input:
        data=expand("results/data/{dataset}.npz", dataset=DATASETS),
        facts=expand("results/data/{dataset}.json", dataset=DATASETS),
        architectures="results/architectures.json",
        examples="results/augmentation_examples.npz",
        original=ORIGINAL,
        benchmark=benchmark_table,
        beside=other_programs(),
        text=text_of_original,
    params:
        folder="results/partial",
        store=STORE,
        plans=PLANS,
        published=as_it_is(PUBLISHED),
        overlays=as_it_is(GIVEN_ELSEWHERE),
    log:
        "logs/report_partial.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/report_partial.py"


# The published runs into the run store: what they cover is then copied, not trained. Their machine's benchmark, too,
# which reports show until one was measured here. REFASHION_FROM (make restore FROM=...): somebody else's, checked alike.
rule restore:
    params:
        published=as_it_is(os.environ.get("REFASHION_FROM") or PUBLISHED),
        store=STORE,
        plans=PLANS,
        original=str(ORIGINAL),
        benchmark=RESTORED_BENCHMARK,
        overlays=as_it_is(GIVEN),
    log:
        "logs/restore.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/restore.py"


# The finished runs, and the report that `report_partial` made of them, into published/, or an example's into its folder
# there. Runs may be those of an overlay, the report is that of config.yaml, or of the example's study.yaml.
rule publish:
    params:
        published=as_it_is(PUBLISHED),
        store=STORE,
        plans=PLANS,
        original=str(ORIGINAL),
        results=rules.report_partial.params.folder,
        benchmark=BENCHMARK,
        project=as_it_is(PROJECT),
        derived=["results/architectures.json", "results/augmentation_examples.npz"],
    log:
        "logs/publish.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/publish.py"


# The cheapest published run of each network, trained again for its first epochs: bit-identical on the same machine.
rule verify:
    input:
        data=published_data,
    params:
        published=as_it_is(PUBLISHED),
        epochs=2,
    threads: 1
    resources:
        gpu=GPUS,
    log:
        "logs/verify.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/verify.py"


# Keras' own fit beside the experiment `seeded_keras`, whose table published/keras_fit.csv is: copy it there by hand.
rule keras_fit:
    input:
        data=f"results/data/{study.dataset(study.cells()[0])}.npz",
    output:
        "results/keras_fit.csv",
    params:
        options={"network": "lenet5", "images": "arrays", "batch": 32, "epochs": 20},
        seeds=10,
    log:
        "logs/keras_fit.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/keras_fit.py"


# Speed side by side: this engine, a plain script and PyTorch (where installed), all cores busy. Takes some 45 minutes on
# two cores and wants the machine for itself. It has no output on purpose: it measures whenever it is asked for, and never
# because a report wants a newer table.
rule benchmark:
    input:
        data=f"results/data/{study.dataset(study.cells()[0])}.npz",
    params:
        table=BENCHMARK,
        repetitions=3,
        seconds=6,
    threads: workflow.cores or 1
    resources:
        gpu=GPUS,
    message:
        "Measuring for some 45 minutes; nothing else should run on this machine meanwhile. To watch: tail -f {log}"
    log:
        "logs/benchmark.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/benchmark.py"


# What each experiment still costs, in core-hours, at speeds of machines like this one where there are any. It has no
# output, so that it is told anew each time: snakemake cost
rule cost:
    params:
        plans=PLANS,
        store=STORE,
        original=str(ORIGINAL),
    log:
        "logs/cost.log",
    conda:
        "envs/conda.yaml"
    script:
        "workflow/scripts/cost.py"


def may_train():
    """Whether anything is asked for that trains runs of the study."""
    without = {"benchmark", "cost", "keras_fit", "publish", "report_partial", "restore", "verify"}
    return not without.issuperset(workflow.dag_settings.targets or {"all"})


onstart:
    from refashion.upkeep import costing

    if may_train():
        jobs = min(len(VISIBLE), workflow.cores or 1) if GPUS else workflow.cores or 1
        try:
            told = costing.one_line(seeds.with_plans(study, PLANS), jobs)
        except UserError as error:  # a broken plan, which the rule that needs it refuses
            told = str(error)
        print(told, file=sys.stderr)


onerror:
    if may_train():
        print(
            f"Some jobs failed; what has finished is kept. A report of it: snakemake report_partial{GIVEN}",
            file=sys.stderr,
        )
