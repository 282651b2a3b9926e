"""Rule `report_partial`: the report of the runs that have finished, naming what is missing or failed."""

from dataclasses import replace
from pathlib import Path

from refashion import files
from refashion.judging import analysis, collection, inputs, standing, tables
from refashion.judging.csv_tables import SOURCES
from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.study.original import check_original, read_original
from refashion.telling import page, pictures, source
from refashion.telling.redaction import redact
from refashion.training import seeds
from refashion.training.run_store import RunStore, published_in


def main(job):
    """Collect whatever the run store has, analyse it and render the page into ``job.params.folder``."""
    given, folder = job.input, Path(job.params.folder)
    original = read_original(given.original)
    study = seeds.with_plans(load_study(job.config), job.params.plans)
    check_original(original, study)
    study, _ = standing.grown(study, original, RunStore(job.params.store))
    collected = collection.collect(
        study,
        RunStore(job.params.store),
        strict=False,
        labels=collection.labels_of(map(Path, given.data)),
        published=published_in(Path(job.params.published)).names(),
    )
    reasons = redact(collected.runs["reason"].tolist())  # like the page, they may leave this machine
    collected = replace(collected, runs=collected.runs.assign(reason=reasons))
    found = analysis.analyse(inputs.read(study, original, collected, given))
    images = pictures.load(found, [Path(one) for one in given.data], Path(given.examples))
    text = source.read(Path(given.text)) if given.get("text") else ""
    html = page.render(found, images, job.config, partial=True, text=text, overlays=job.params.overlays)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").unlink(missing_ok=True)  # no page of other numbers stands beside the new ones, ever
    tables.write(collected.runs, folder / "runs.csv")
    analysis.write(found, folder / "analysis.json", {name: folder / f"{name}.csv" for name in SOURCES})
    files.write_text(folder / "report.html", html)


if __name__ == "__main__":
    with rule_log(snakemake):
        main(snakemake)
