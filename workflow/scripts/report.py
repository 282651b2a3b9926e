"""Rule `report`: analysis.json as one HTML page, and its main tables."""

from pathlib import Path

from refashion import files
from refashion.judging import collection, tables
from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.telling import document, exports, page, pictures, source
from refashion.telling.figures import catalogue
from refashion.training import seeds


def main(job):
    """Write the page and the tables. Inputs `data` and `examples` give images."""
    study = seeds.with_plans(load_study(job.config), job.params.plans)
    collection.check_runs(study, tables.read("runs", job.input.runs), job.input.runs)
    analysis = document.read_analysis(Path(job.input.analysis))
    images = pictures.load(analysis, [Path(one) for one in job.input.data], Path(job.input.examples))
    drawings = catalogue.read_drawings(Path(job.input.drawings))
    text = source.read(Path(job.input.text)) if job.input.get("text") else ""
    html = page.render(analysis, images, job.config, drawings, text=text, overlays=job.params.overlays)
    Path(job.output.page).write_text(html, encoding="utf-8")
    exports.write_tables(analysis, Path(job.output.tables[0]).parent)
    files.write_alone(Path(job.output.config), Path(job.input.config).read_text(encoding="utf-8"))


if __name__ == "__main__":
    with rule_log(snakemake):
        main(snakemake)
