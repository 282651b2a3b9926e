"""From analysis.json to what people read: one HTML file, and the two main tables as CSV, LaTeX and Markdown.

Everything that the templates in report/ say comes from the analysis, the drawings of `figures` and the circumstances
of rendering. Autoescape is on, and an undefined name is an error: text from the config can neither script the page nor
leave a hole in it. Jinja2 is imported inside functions: the Snakefile imports `TABLES` in every job.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from refashion import formatting, provenance
from refashion import formatting as fmt
from refashion.errors import UserError
from refashion.judging.document.layout import FORMAT
from refashion.study.model import TRAINING_METRICS
from refashion.telling import figure_networks, figure_parts, figure_style, figures

Analysis = dict[str, Any]

TEMPLATES = Path(__file__).resolve().parents[4] / "report"

#: Files that the report's rule writes beside the page.
TABLES = tuple(
    f"results/tables/{name}"
    for name in (
        *(f"{table}.{kind}" for table in ("original_vs_ours", "claims") for kind in ("csv", "md", "tex")),
        *(f"{table}.csv" for table in ("readings", "audit", "inconsistencies", "assumptions", "cost")),
    )
)

#: The sections of the page: anchor (also the template's name) and title, in the order of reading.
SECTIONS = (
    ("table", "The table, published and run again"),
    ("claims", "Every claim and its verdict"),
    ("audit", "Parameters, layer by layer"),
    ("inconsistencies", "Where the report contradicts itself"),
    ("readings", "Readings and unstated choices"),
    ("effects", "What changed together, taken apart"),
    ("comparisons", "Which network is better"),
    ("learning", "Learning curves"),
    ("optimism", "Choosing the best epoch"),
    ("spread", "Where the spread comes from"),
    ("augmentations", "What augmentation does to a garment"),
    ("mistakes", "What the networks get wrong"),
    ("extensions", "Beyond the original"),
    ("cost", "Cost and speed"),
    ("methods", "Methods, in plain words"),
    ("assumptions", "Assumptions"),
    ("provenance", "Provenance"),
    ("reproduce", "How to reproduce this"),
    ("missing", "What is missing"),
)

#: Where a claim's evidence is, beyond what stands beside it: kind -> anchor and words. Others have none.
EVIDENCE = {
    "fact": ("provenance", "the data files"),
    "parameters": ("audit", "the parameter audit"),
    "parameter_ratio": ("audit", "the parameter audit"),
    "layers": ("audit", "the parameter audit"),
    "best": ("comparisons", "the comparisons"),
    "order": ("comparisons", "the comparisons"),
    "near_best": ("comparisons", "the comparisons"),
    "much_worse": ("comparisons", "the comparisons"),
    "faster": ("cost", "cost and speed"),
    "gap": ("table", "the table"),
}
#: The same for published accuracies, by whether they are about training.
ACCURACIES = {
    False: ("fig-verdict_forest", "the verdict forest"),
    True: ("fig-training_forest", "the training forest"),
}


@dataclass(frozen=True)
class Pictures:
    """Images as PNG data addresses: rows of (augmentation, garments), and garments by their index in the test set."""

    augmentations: list[tuple[str, list[str]]] = field(default_factory=list)
    garments: dict[int, str] = field(default_factory=dict)


# --- The page ---------------------------------------------------------------------------------------------------------


def render(analysis: Analysis, pictures: Pictures, config: Mapping[str, Any], partial: bool = False) -> str:
    """The whole report as one HTML file. `partial`: rendered while runs are still missing."""
    analysis = redact(analysis)
    drawings = {name: figures.draw(analysis, name) for name in figures.NAMES}
    environment = _environment()
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    return environment.get_template("report.html.jinja").render(
        a=analysis,
        config=redact(_yaml(config)),
        drawings=drawings,
        made=_circumstances(),
        margins=config["analysis"],
        names_of_cells=names_of_cells(analysis, config),
        partial=partial,
        pictures=pictures,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        sections=SECTIONS,
        style=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
    )


@cache
def _environment() -> Any:
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Our own files, not a user's words: the only strings that reach the page unescaped, besides figure_style.inline's.
    environment.filters["trusted"] = Markup
    environment.globals |= {
        name: function for name, function in vars(formatting).items() if callable(function) and name[0].islower()
    }
    environment.globals |= {
        "MISSING": fmt.MISSING,
        "amount": amount,
        "benchmark_columns": benchmark_columns,
        "benchmark_entry": benchmark_entry,
        "benchmark_facts": benchmark_facts,
        "caution": caution,
        "cell_name": figure_parts.cell_name,
        "claim_evidence": claim_evidence,
        "csv_address": csv_address,
        "entries": entries,
        "experiment_drawing": figures.draw_experiment,
        "extensions": figure_networks.extensions,
        "inline": lambda svg, prefix, words: Markup(figure_style.inline(svg, prefix, words)),  # noqa: S704
        "numbers_told": numbers_told,
        "printed_rows": printed_rows,
        "reading_told": reading_told,
        "check_told": check_told,
        "several_readings": lambda analysis: [one for one in analysis["claims"] if len(one["readings"]) > 1],
        "slug": slug,
    }
    return environment


def _circumstances() -> dict[str, Any]:
    """When, from which commit and with what the page is rendered."""
    packages = provenance.versions("jinja2", "matplotlib", "snakemake")
    return {**provenance.collect(), "packages": packages, "date": datetime.now(UTC).isoformat(timespec="minutes")}


def _yaml(config: Mapping[str, Any]) -> str:
    import yaml

    plain = json.loads(json.dumps(config, default=str))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


#: Home folders wherever they lie, at the start of a path.
_HOMES = r"(?:/home/|/Users/|/var/home/|[A-Za-z]:\\Users\\)[^/\\\s'\":]+|/root(?=[/\s'\":]|$)"
#: What neither HTML nor XML may hold: control characters (save tab and line end), lone surrogates, non-characters.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def redact(value: Any) -> Any:
    """The same value, fit to publish: in its strings (keys included) a home folder is `~`, nothing is unprintable."""
    home = re.escape(str(Path.home()).rstrip("/\\"))
    own = rf"{home}(?=[/\\\s'\":]|$)|" if home else ""
    return _redact(value, re.compile(rf"(?<![\w.~-])(?:{own}{_HOMES})"))


def _redact(value: Any, homes: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return _UNPRINTABLE.sub("\ufffd", homes.sub("~", value))
    if isinstance(value, Mapping):
        return {_redact(key, homes): _redact(entry, homes) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_redact(entry, homes) for entry in value]
    return value


# --- Words for templates ----------------------------------------------------------------------------------------------


def slug(text: str) -> str:
    """A text as an anchor: letters, digits, dots, underscores and dashes; anything else becomes a dash."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-") or "x"


def amount(value: Any, unit: str, interval: Sequence[float] | None = None) -> str:
    """A number of the analysis with its unit, with the digits that its interval supports."""
    if isinstance(value, str):
        return value
    shapes: dict[str, Callable[[Any], str]] = {
        "percent": lambda x: fmt.percent(x, fmt.half_of(interval)),
        "pp": lambda x: fmt.points(x, fmt.half_of(interval)),
        "seconds": fmt.duration,
        "times": lambda x: f"{fmt.significant(x)} times" if fmt.exists(x) else fmt.MISSING,
    }
    if unit in shapes:
        return shapes[unit](value)
    if isinstance(value, bool) or value is None:
        return fmt.text_or_missing(value)
    return fmt.count(value) if float(value).is_integer() else fmt.significant(value)


def _interval_told(interval: Sequence[float] | None, unit: str) -> str:
    if not interval:
        return ""
    if unit == "pp":
        return fmt.points_interval(*interval)
    if unit == "seconds":
        return f"{fmt.duration(interval[0])} to {fmt.duration(interval[1])}"
    return fmt.percent_interval(*interval) if unit == "percent" else fmt.interval(*interval)


def claim_evidence(claim: Mapping[str, Any]) -> tuple[str, str] | None:
    """Anchor and name of the part of the page where a claim's evidence is shown, None where the claim shows it all."""
    if claim["kind"] == "accuracy":
        return ACCURACIES[claim["readings"][0]["metric"] in TRAINING_METRICS]
    return EVIDENCE.get(claim["kind"])


def caution(analysis: Analysis) -> list[tuple[str, float, float, float]]:
    """How often the rule would call a published accuracy reproduced that is exactly right.

    For validation and training accuracies (kind, least, most, studies simulated): shares of studies of this size.
    """
    found: dict[str, list[float]] = {}
    simulated = 0
    for claim in analysis["claims"]:
        if claim["kind"] == "accuracy" and claim["operating"]:
            kind = "training" if claim["readings"][0]["metric"] in TRAINING_METRICS else "validation"
            exact = min(claim["operating"]["rates"], key=lambda rate: abs(rate["shift"]))
            found.setdefault(kind, []).append(exact["reproduced"])
            simulated = claim["operating"]["repetitions"]
    return [(kind, min(shares), max(shares), simulated) for kind, shares in found.items()]


def numbers_told(numbers: Mapping[str, Any] | None, unit: str) -> list[tuple[str, str]]:
    """The evidence of a reading as (label, words), what cannot be said left out."""
    if not numbers:
        return []
    mean = amount(numbers["mean"], unit, numbers["interval"])
    told = [
        ("published", amount(numbers["published"], unit)),
        ("ours", f"{mean} over {fmt.plural(numbers['n'], 'seed')}" if numbers["n"] else "no finished run"),
        ("interval", _interval_told(numbers["interval"], unit)),
        ("difference", fmt.points(numbers["difference"], fmt.half_of(numbers["interval"]))),
        ("margin", f"\u00b1{fmt.number(numbers['margin'])}{fmt.SPACE}pp"),
        ("one more run", _interval_told(numbers["prediction"], unit)),
        ("test of “within the margin”", _p_told(numbers["p_rep_adjusted"], numbers["p_rep"])),
        ("test of “beyond it”", _p_told(numbers["p_not_adjusted"], numbers["p_not"])),
        ("seed: run", _seeds_told(numbers, unit)),
    ]
    return [(label, words) for label, words in told if words and words != fmt.MISSING]


#: So many runs of a claim are told one by one; the table of runs has all of them.
SEEDS_TOLD = 12


def _p_told(p: float | None, alone: float | None) -> str:
    """A p-value after Holm, and before it where that is another number."""
    if not fmt.exists(p):
        return ""
    return fmt.p_phrase(p) if p == alone else f"{fmt.p_phrase(p)} after Holm, {fmt.p_value(alone)} by itself"


def _seeds_told(numbers: Mapping[str, Any], unit: str) -> str:
    """Every run behind a mean, by seed, in hundredths as the original prints them; the first of many."""
    runs = list(zip(numbers["seeds"], numbers["values"], strict=True))
    told = ", ".join(f"{seed}: {fmt.number(value, sign=unit == 'pp')}" for seed, value in runs[:SEEDS_TOLD])
    return told + (f", and {fmt.count(len(runs) - SEEDS_TOLD)} more" if len(runs) > SEEDS_TOLD else "")


def check_told(check: Mapping[str, Any]) -> str:
    """One check in words: what was expected, what was found, with interval and p where there are any."""
    unit = check["unit"]
    parts = []
    if check["expected"] is not None:
        parts.append(f"expected {_with_unit(check['expected'], unit)}")
    if check["found"] is not None:
        found = f"found {_with_unit(check['found'], unit, check['interval'])}"
        parts.append(f"{found} ({_interval_told(check['interval'], unit)})" if check["interval"] else found)
    if fmt.exists(check["p"]):
        which = f", {check['test']}" if check["test"] else ""
        parts.append(fmt.p_of(check["holds"], check["p"], check["p_against"]) + which)
        parts.append(fmt.plural(check["n"], "seed"))
    if check["reason"]:
        parts.append(check["reason"])
    return "; ".join(parts) or "nothing to show"


def _with_unit(value: Any, unit: str, interval: Sequence[float] | None = None) -> str:
    words = amount(value, unit, interval)
    if isinstance(value, str):  # "above 1": a bound, which wants its unit
        return f"{words} {unit}".strip()
    return words if unit in ("percent", "pp", "seconds", "times", "") else f"{words} {unit}"


def entries(analysis: Analysis) -> list[dict[str, Any]]:
    """The main table, a row a network: its column of the original, seeds, and for each accuracy printed and ours."""
    measured = [row for row in analysis["table"]["rows"] if row["kind"] == "accuracy"]
    return [
        {
            "column": column,
            "measured": [{"name": row["name"], **row["values"][i]} for row in measured],
            "seeds": max(
                (row["values"][i]["sample"]["n"] for row in measured if row["values"][i]["sample"]), default=0
            ),
        }
        for i, column in enumerate(analysis["table"]["columns"])
    ]


def printed_rows(analysis: Analysis) -> list[int]:
    """Which of the accuracies of `entries` the original prints, by position."""
    measured = [row for row in analysis["table"]["rows"] if row["kind"] == "accuracy"]
    return [i for i, row in enumerate(measured) if any(value["printed"] for value in row["values"])]


def reading_told(claim: Mapping[str, Any], reading: Mapping[str, Any]) -> dict[str, str]:
    """Published, ours and seeds of a reading, in words; of the check that decides it where it is not about one."""
    numbers, checks = reading["numbers"], reading["checks"]
    if numbers:
        ours = amount(numbers["mean"], claim["unit"], numbers["interval"])
        return {"published": amount(numbers["published"], claim["unit"]), "ours": ours, "seeds": str(numbers["n"])}
    if not checks:
        return dict.fromkeys(("published", "ours", "seeds"), fmt.MISSING)
    # The one that decides: that contradicts, else that leaves it open.
    shown = next((one for word in (False, None) for one in checks if one["holds"] is word), checks[0])
    found = amount(shown["found"], shown["unit"], shown["interval"]) if shown["found"] is not None else fmt.MISSING
    expected = _with_unit(shown["expected"], shown["unit"]) if shown["expected"] is not None else fmt.MISSING
    return {"published": expected, "ours": found, "seeds": fmt.count(shown["n"])}


#: Columns of the benchmark's table as the page names them; one that it does not know is shown under its own name.
_BENCHMARK = {
    "architecture": "Network",
    "augmentation": "Augmentation",
    "program": "Program",
    "processes": "Processes",
    "threads": "Threads each",
    "images_per_second": "Images a second",
    "speedup": "This engine is faster, times",
    "peak_share": "Share of the matrix product's peak",
    "fixed_seconds": "Fixed cost a job, s",
}
#: The same in every row: told once, in the caption.
_BENCHMARK_FACTS = {"cpu": "processor", "cores": "cores", "device": "device", "load": "load before it"}
_BENCHMARK_REST = ("batch_size", "repetitions", "slowest", "fastest", "gflops", "first_step_seconds", "peak_memory_mb")


def benchmark_columns(analysis: Analysis) -> list[tuple[str, str, str]]:
    """(key, heading, `n` for numbers or `w` for words) of the columns of the benchmark's table that the page shows."""
    rows = analysis["benchmark"]["rows"]
    hidden = {*_BENCHMARK_FACTS, *_BENCHMARK_REST, "note"}
    return [
        (key, _BENCHMARK.get(key, key.replace("_", " ")), "n" if any(fmt.exists(row.get(key)) for row in rows) else "w")
        for key in rows[0]
        if key not in hidden and any(row.get(key) not in (None, "") for row in rows)
    ]


def benchmark_facts(analysis: Analysis) -> list[tuple[str, str]]:
    """What holds for the whole benchmark, as (label, words)."""
    first = analysis["benchmark"]["rows"][0]
    return [(words, fmt.text_or_missing(first[key])) for key, words in _BENCHMARK_FACTS.items() if first.get(key)]


def benchmark_entry(key: str, value: Any) -> str:
    """One entry of the benchmark's table: a measurement has two or three digits that mean something."""
    if not fmt.exists(value):
        return fmt.text_or_missing(value)
    if key == "peak_share":
        return f"{fmt.share_of_100(value)} of 100"
    return fmt.count(value) if float(value).is_integer() and value < 100 else fmt.significant(value, 3)


def names_of_cells(analysis: Analysis, config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the names of the study's cells stand for: (name, definition in the config's words), by axis."""
    axes = ("architecture", "fraction", "augmentation", "recipe")
    used = [(axis, name) for axis in axes for name in dict.fromkeys(cell[axis] for cell in analysis["cells"])]
    return [
        (name, ", ".join(_setting(key, value) for key, value in config[f"{axis}s"][name].items() if value is not None))
        for axis, name in used
        if name in config[f"{axis}s"]
    ]


def _setting(key: str, value: Any) -> str:
    """One setting in words: `rotation 8`, and a switch that is on by its name alone."""
    words = key.replace("_", " ")
    return words if value is True else f"{words} {value}"


def csv_address(text: str) -> str:
    """A CSV as an address that a link can offer for download, without any server."""
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"


# --- Images -----------------------------------------------------------------------------------------------------------


def pictures(analysis: Analysis, data: Sequence[Path], examples: Path | None) -> Pictures:
    """The garments that the report shows, from the prepared data sets and the examples of augmentation (all .npz)."""
    own = next((path for path in data if path.stem == analysis["data"]["name"]), None)
    return Pictures(
        augmentations=_augmentations(examples) if examples else [],
        garments=_garments(own, [image["index"] for image in analysis["hardest"]["images"]]) if own else {},
    )


def _augmentations(path: Path) -> list[tuple[str, list[str]]]:
    """Rows of garments: as they are, then under each augmentation. Arrays are [k, rows, columns], 0..1."""
    arrays = _arrays(path)
    names = ["originals", *(name for name in arrays if name != "originals")]
    return [(name, [png(image * 255) for image in arrays[name]]) for name in names if name in arrays]


def _garments(path: Path, indices: Sequence[int]) -> dict[int, str]:
    images = _arrays(path, "test_images")["test_images"]
    return {index: png(images[index]) for index in indices if 0 <= index < len(images)}


def _arrays(path: Path, *names: str) -> dict[str, Any]:
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names or archive.files}
    except (KeyError, OSError, ValueError) as error:
        raise UserError(
            f"{path} holds no images that the report can show ({error}); delete it and run again."
        ) from error


def png(image: Any) -> str:
    """A grey image [rows, columns], 0..255, as a PNG data address, dark on light as on paper."""
    import numpy as np
    from PIL import Image

    stream = io.BytesIO()
    pixels = 255 - np.clip(np.rint(image), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(stream, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


# --- Tables for other documents ---------------------------------------------------------------------------------------


def write_tables(analysis: Analysis, folder: Path) -> None:
    """Every file of TABLES, into `folder`."""
    analysis = redact(analysis)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("original_vs_ours", original_rows(analysis)), ("claims", claim_rows(analysis))):
        _write(folder / f"{name}.csv", figures.to_csv(rows))
        _write(folder / f"{name}.md", to_markdown(rows))
        _write(folder / f"{name}.tex", to_latex(rows))
    _write(folder / "readings.csv", figures.to_csv(_reading_rows(analysis)))
    _write(folder / "audit.csv", figures.to_csv(_audit_rows(analysis)))
    _write(folder / "inconsistencies.csv", figures.to_csv(_inconsistency_rows(analysis)))
    _write(folder / "assumptions.csv", figures.to_csv(analysis["assumptions"]))
    _write(folder / "cost.csv", figures.to_csv(analysis["cost"]["cells"]))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def original_rows(analysis: Analysis) -> list[dict[str, str]]:
    """The original's accuracies beside ours, a row a network and accuracy, as words."""
    rows = []
    for entry in entries(analysis):
        for value in entry["measured"]:
            sample = value["sample"]
            rows.append(
                {
                    "network": entry["column"]["title"],
                    "data": entry["column"]["data"],
                    "measure": value["name"],
                    "published": value["printed"] or fmt.MISSING,
                    "ours": amount(sample["mean"], "percent", sample["interval"]) if sample else fmt.MISSING,
                    "interval": _interval_told(sample["interval"], "percent") if sample else "",
                    "seeds": fmt.count(sample["n"]) if sample else "0",
                    "verdict": value["verdict"] or "",
                }
            )
    return rows


def claim_rows(analysis: Analysis) -> list[dict[str, str]]:
    """The ledger, a row a claim, as words."""
    rows = []
    for claim in analysis["claims"]:
        primary = claim["readings"][0]
        told = dict(numbers_told(primary["numbers"], claim["unit"]))
        rows.append(
            {
                "claim": claim["id"],
                "words": claim["quote"],
                "published": amount(claim["value"], claim["unit"]) if claim["value"] is not None else "",
                "ours": told.get("ours", ""),
                "difference": told.get("difference", ""),
                "verdict": claim["verdict"],
                "readings": claim["overall"],
                "reason": claim["reason"],
            }
        )
    return rows


def _reading_rows(analysis: Analysis) -> list[dict[str, Any]]:
    return [
        {"claim": claim["id"], "reading": reading["id"], "title": reading["title"], "primary": reading["primary"]}
        | {"verdict": reading["verdict"], "reason": reading["reason"]}
        | {key: (reading["numbers"] or {}).get(key) for key in ("cell", "n", "published", "mean", "sd", "difference")}
        for claim in analysis["claims"]
        for reading in claim["readings"]
    ]


def _audit_rows(analysis: Analysis) -> list[dict[str, Any]]:
    return [
        {"architecture": network["architecture"], "name": row["name"], "agrees": row["agrees"]}
        | {
            f"{side}_{key}": (row[side] or {}).get(key)
            for side in ("printed", "built")
            for key in ("layer", "shape", "parameters")
        }
        for network in analysis["audit"]
        for row in network["rows"]
    ]


def _inconsistency_rows(analysis: Analysis) -> list[dict[str, Any]]:
    return [
        {"id": one["id"], "title": one["title"], "said": one["said"]}
        | {key: number[key] for key in ("label", "value", "unit", "text", "n", "reason")}
        for one in analysis["inconsistencies"]
        for number in one["numbers"] or [dict.fromkeys(("label", "value", "unit", "text", "n", "reason"))]
    ]


_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|$#])")


def to_markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of words as a Markdown table; characters that Markdown or HTML would read are escaped."""
    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = (_MARKDOWN.sub(r"\\\1", " ".join(str(row[key]).split())) for key in head)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    fmt.MINUS: r"$-$",
    fmt.MISSING: "--",
    fmt.SPACE: "~",
    "\u00b1": r"$\pm$",
}


def to_latex(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of words as a LaTeX `tabular` for the package booktabs; no character of the words is LaTeX."""
    head = list(rows[0])
    lines = [r"\begin{tabular}{" + "l" * len(head) + "}", r"\toprule", " & ".join(head) + r" \\", r"\midrule"]
    for row in rows:
        cells = ("".join(_LATEX.get(c, c) for c in " ".join(str(row[key]).split(" "))) for key in head)
        lines.append(" & ".join(cells).replace("\n", " ") + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


# --- Files ------------------------------------------------------------------------------------------------------------


def read_analysis(path: Path) -> Analysis:
    """analysis.json of the layout that the templates read. (The analysis has checked it against its schema.)"""
    try:
        analysis = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is no JSON ({error.msg} in line {error.lineno}); delete it and run again.") from error
    if not isinstance(analysis, dict) or analysis.get("format") != FORMAT:
        raise UserError(f"{path} has not the layout {FORMAT} that this report reads; delete it and run again.")
    return analysis
