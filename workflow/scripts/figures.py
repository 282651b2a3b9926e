"""Rule `figures`: every figure, as files for other documents and, all in one file, for the page."""

from pathlib import Path

from refashion.rule_log import rule_log
from refashion.telling import document
from refashion.telling.figures import catalogue
from refashion.telling.redaction import redact


def main(job):
    """Write the files of every figure beside `job.output.drawings`, which the rule `report` reads."""
    analysis = redact(document.read_analysis(Path(job.input.analysis)))
    drawings = Path(job.output.drawings)
    catalogue.write_drawings(catalogue.draw_all(analysis, drawings.parent), drawings)


if __name__ == "__main__":
    with rule_log(snakemake):
        main(snakemake)
