"""Rules `report` and `report_partial`: analysis.json as one HTML page, and (`report` alone) its tables."""

from pathlib import Path

from refashion import reporting
from refashion.rule_log import rule_log


def main(job):
    """Write the page, and the tables where the rule has an output `tables`. Input `data` and `examples` give images."""
    analysis = reporting.read_analysis(Path(job.input.analysis))
    data, examples = job.input.get("data"), job.input.get("examples")
    images = reporting.pictures(analysis, Path(data) if data else None, Path(examples) if examples else None)
    page = reporting.render(analysis, images, job.config, partial=job.rule == "report_partial")
    Path(job.output.page).write_text(page, encoding="utf-8")
    tables = job.output.get("tables")
    if tables:
        reporting.write_tables(analysis, Path(tables[0]).parent)


if __name__ == "__main__":
    with rule_log(snakemake):  # noqa: F821
        main(snakemake)  # noqa: F821
