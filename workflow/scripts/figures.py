"""Rule `figures`: every figure as SVG and its data as CSV."""

from pathlib import Path

from refashion.rule_log import rule_log
from refashion.telling import document
from refashion.telling.figures import catalogue
from refashion.telling.redaction import redact


def main(job):
    """Write {name}.svg and {name}.csv of every figure beside the first output."""
    analysis = redact(document.read_analysis(Path(job.input.analysis)))
    folder = Path(job.output[0]).parent
    for name in catalogue.NAMES:
        drawing = catalogue.draw(analysis, name)
        (folder / f"{name}.svg").write_text(drawing.svg, encoding="utf-8")
        (folder / f"{name}.csv").write_text(drawing.csv, encoding="utf-8", newline="")


if __name__ == "__main__":
    with rule_log(snakemake):  # noqa: F821
        main(snakemake)  # noqa: F821
