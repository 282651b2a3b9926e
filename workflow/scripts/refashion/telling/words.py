"""The words of the page: numbers with units, claims, readings and the benchmark, as the templates ask for them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from refashion import formatting as fmt
from refashion.study.model import TRAINING_METRICS
from refashion.telling.cells import Analysis

#: Where the evidence of a kind of claim is (see `kind_of`), beyond what stands beside it: anchor and words.
EVIDENCE = {
    "fact": ("provenance", "the data files"),
    **dict.fromkeys(("parameters", "parameter_ratio", "layers"), ("audit", "the parameter audit")),
    **dict.fromkeys(("best", "order", "near_best", "much_worse"), ("comparisons", "the comparisons")),
    "faster": ("cost", "cost and speed"),
    "gap": ("table", "the table"),
    "validation": ("fig-verdict_forest", "the verdict forest"),
    "training": ("fig-training_forest", "the training forest"),
}


def slug(text: str) -> str:
    """A text as an anchor of ASCII letters, digits, dots, underscores and dashes; other texts give other anchors.

    A text that has other characters, or none, gets eight digits of its SHA-256 behind what is left of it.
    """
    plain = re.sub(r"[^A-Za-z0-9._]+", "-", text)
    if plain == text != "":
        return text
    return f"{plain.strip('-')}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}".lstrip("-")


def verdict_class(verdict: str) -> str:
    """A verdict as the style sheet's class of it: `not-reproduced`."""
    return verdict.replace(" ", "-")


#: How numbers of a unit are written: a value, after half of its interval as far as known, and an interval.
_UNITS: dict[str, tuple[Callable[[Any, float | None], str], Callable[[Sequence[float]], str]]] = {
    "percent": (fmt.percent, fmt.percent_interval),
    "pp": (fmt.points, fmt.points_interval),
    "seconds": (lambda value, _: fmt.duration(value), lambda ends: " to ".join(map(fmt.duration, ends))),
    "times": (lambda value, _: f"{fmt.significant(value)} times" if fmt.exists(value) else fmt.MISSING, fmt.interval),
    "images": (lambda value, _: fmt.plural(int(value), "image") if fmt.exists(value) else fmt.MISSING, fmt.interval),
}


def amount(value: Any, unit: str, interval: Sequence[float] | None = None) -> str:
    """A number of the analysis with its unit, with the digits that its interval supports."""
    if isinstance(value, str):
        return value
    if unit in _UNITS:
        return _UNITS[unit][0](value, fmt.half_of(interval))
    if isinstance(value, bool) or value is None:
        return fmt.text_or_missing(value)
    return fmt.count(value) if float(value).is_integer() else fmt.significant(value)


def span(values: Iterable[float], shown: Callable[[float], str]) -> str:
    """From the least to the greatest of the values, as `shown` writes them; one of them where both read the same."""
    values = list(values)
    low, high = shown(min(values)), shown(max(values))
    return low if low == high else f"{low} to {high}"


def interval_told(interval: Sequence[float] | None, unit: str) -> str:
    """An interval with its unit; empty where there is none."""
    if not interval:
        return ""
    return _UNITS[unit][1](interval) if unit in _UNITS else fmt.interval(interval)


def numbers_of(claim: Mapping[str, Any]) -> Any:
    """The numbers of a claim's primary reading, which every accuracy and gap has; of another claim None."""
    return claim["readings"][0]["numbers"]


def kind_of(claim: Mapping[str, Any]) -> str:
    """The kind of a claim; of an accuracy, whether it is about training or validation."""
    if claim["kind"] != "accuracy":
        return str(claim["kind"])
    return "training" if claim["readings"][0]["metric"] in TRAINING_METRICS else "validation"


def claim_evidence(claim: Mapping[str, Any]) -> tuple[str, str] | None:
    """Anchor and name of the part of the page where a claim's evidence is shown, None where the claim shows it all."""
    return EVIDENCE.get(kind_of(claim))


def deviations_of(claim: Mapping[str, Any], analysis: Analysis) -> list[Mapping[str, Any]]:
    """What was decided after looking, of which this claim is named."""
    named = re.compile(rf"\b{re.escape(claim['id'])}\b")
    return [one for one in analysis["original"]["deviations"] if named.search(one["what"])]


def line_number(claim: Mapping[str, Any]) -> str:
    """The number in a claim's one line: the difference, or what was found."""
    numbers = numbers_of(claim)
    if claim["verdict"] == "not testable":
        return fmt.MISSING
    if numbers:
        return fmt.points(numbers["difference"], fmt.half_of(numbers["interval"]))
    told = reading_told(claim, claim["readings"][0])["ours"]
    return told if len(told) <= 16 else fmt.MISSING


def anything_missing(analysis: Analysis) -> bool:
    """Whether a claim is open, a run failed, diverged or waits, or a reading or an experiment was not run."""
    runs = analysis["runs"]
    return bool(
        any(claim["ending"] for claim in analysis["claims"])
        or runs["failed"]
        or runs["diverged"]
        or runs["missing"]
        or untested_readings(analysis)
        or any(one["enabled"] and one["reason"] for one in analysis["experiments"])
    )


def untested_readings(analysis: Analysis) -> list[tuple[str, Mapping[str, Any]]]:
    """Readings (with their claim's id) that could be judged by runs and were not."""
    return [
        (claim["id"], reading)
        for claim in analysis["claims"]
        if claim["verdict"] != "not testable"
        for reading in claim["readings"]
        if not reading["tested"] and reading["cells"]
    ]


def caution(analysis: Analysis) -> list[tuple[str, float, float, int]]:
    """How often the rule would call a published accuracy reproduced that is an ordinary result of its network.

    For validation and training accuracies (kind, least, most, seeds at most): shares of simulated studies.
    """
    found: dict[str, list[float]] = {}
    seeds = 0
    for claim in analysis["claims"]:
        if claim["kind"] == "accuracy" and claim["operating"]:
            exact = min(claim["operating"]["rates"], key=lambda rate: abs(rate["shift"]))
            found.setdefault(kind_of(claim), []).append(exact["reproduced"])
            seeds = max(seeds, *claim["operating"]["seeds"])
    return [(kind, min(shares), max(shares), seeds) for kind, shares in found.items()]


def near_enough(analysis: Analysis) -> str:
    """The margins within which a published accuracy counts as come out again, from the least to the greatest."""
    margins = [numbers_of(claim)["margin"] for claim in analysis["claims"] if claim["kind"] == "accuracy"]
    return f"\u00b1{span(margins, fmt.number)}{fmt.SPACE}pp" if margins else ""


#: The sources of the crossed experiment, as a sentence says them.
SOURCES = {
    "subset": "which images were drawn",
    "initialiser and order": "what the seed draws, initialisation and order",
    "residual": "how the two combine",
}


def components_told(analysis: Analysis) -> str:
    """How much of the spread comes from which source, where samples of images and seeds were crossed; else empty."""
    components = analysis["variance"]["components"]
    told = [one for one in components["sources"] if one["share"] is not None] if components else []
    if not told:
        return ""
    parts = (
        f"{fmt.share_of_100(one['share'])} from {SOURCES.get(one['source'], one['source'])} "
        f"(SD {fmt.number(one['sd'], 2)}{fmt.SPACE}pp, "
        f"{' to '.join(fmt.number(max(end, 0) ** 0.5, 2) for end in one['interval'])})"
        for one in sorted(told, key=lambda one: -one["share"])
    )
    samples = fmt.plural(len(components["cells"]), "sample")
    return (
        f"Where {samples} of images met the same seeds, of 100 parts of the variance come {fmt.sentence_list(parts)}."
    )


#: The two questions behind a verdict on a published number, answered in words; the second one's are of a run or mean.
CLOSENESS = {
    "close": "close: within the margin",
    "far": "far: beyond the margin",
    "open": "open: at this claim's level neither is sure",
}
TYPICALITY = {
    "typical": "typical: {one} may give it",
    "atypical": "atypical: hardly {one} would give it",
}


def numbers_told(numbers: Mapping[str, Any] | None, unit: str) -> list[tuple[str, str]]:
    """The evidence of a reading as (label, words), what cannot be said left out."""
    if not numbers:
        return []
    mean = amount(numbers["mean"], unit, numbers["interval"])
    printed = numbers["printed_runs"]
    one = "one more run" if printed == 1 else f"another mean of {fmt.plural(printed, 'run')}"
    told = [
        ("published", amount(numbers["published"], unit)),
        ("ours", f"{mean} over {fmt.plural(numbers['n'], 'seed')}" if numbers["n"] else "no finished run"),
        ("interval", interval_told(numbers["interval"], unit)),
        ("difference", fmt.points(numbers["difference"], fmt.half_of(numbers["interval"]))),
        ("margin", f"\u00b1{fmt.number(numbers['margin'])}{fmt.SPACE}pp"),
        ("is the mean near it", CLOSENESS.get(numbers["closeness"], "")),
        (one, interval_told(numbers["prediction"], unit)),
        ("is it an ordinary one", TYPICALITY.get(numbers["typicality"], "").format(one=one)),
        ("test of “within the margin”", _p_told(numbers, "p_rep")),
        ("test of “beyond it”", _p_told(numbers, "p_not")),
        ("seed: run", _seeds_told(numbers, unit)),
    ]
    return [(label, words) for label, words in told if words and words != fmt.MISSING]


#: So many runs of a claim are told one by one; the table of runs has all of them.
SEEDS_TOLD = 12


def _p_told(numbers: Mapping[str, Any], which: str) -> str:
    """A p-value after what it is adjusted for, and before it where that is another number."""
    p, alone = numbers[f"{which}_adjusted"], numbers[which]
    if not fmt.exists(p):
        return ""
    adjusted = fmt.corrections(numbers["family_size"], numbers["spent"])
    return fmt.p_phrase(p) if p == alone else f"{fmt.p_phrase(p)} {adjusted}, {fmt.p_value(alone)} by itself"


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
        parts.append(f"{found} ({interval_told(check['interval'], unit)})" if check["interval"] else found)
    if fmt.exists(check["p"]):
        which = f", {check['test']}" if check["test"] else ""
        parts.append(fmt.p_of(check["holds"], check["p"], check["p_against"]) + which)
        parts.append(fmt.plural(check["n"], "seed"))
    if check["reason"]:
        parts.append(check["reason"])
    return "; ".join(parts) or "nothing to show"


def _with_unit(value: Any, unit: str, interval: Sequence[float] | None = None) -> str:
    words = amount(value, unit, interval)
    # Text is a bound, "above 1", which wants its unit.
    return f"{words} {unit}".strip() if isinstance(value, str) or unit not in _UNITS else words


def entries(analysis: Analysis) -> list[dict[str, Any]]:
    """The main table, a row a network: its column of the original, seeds, and each accuracy, printed and ours.

    Validation comes first: on a phone it is what is seen without scrolling. `in_print`: the original prints this
    accuracy of some network. `judged_seeds`: those that its verdict rests on, where an earlier look gave it, else None.
    """
    columns = analysis["table"]["columns"]
    judged = {claim["id"]: numbers_of(claim)["n"] for claim in analysis["claims"] if claim["kind"] == "accuracy"}
    training = {column["training_claim"] for column in columns} - {None}
    rows = [row for row in analysis["table"]["rows"] if row["kind"] == "accuracy"]
    rows.sort(key=lambda row: any(value["claim"] in training for value in row["values"]))
    told = []
    for i, column in enumerate(columns):
        measured = [
            {"name": row["name"], "in_print": any(value["printed"] for value in row["values"]), **row["values"][i]}
            for row in rows
        ]
        seeds = max((value["sample"]["n"] for value in measured), default=0)
        for value in measured:
            fewer = value["verdict"] and judged[value["claim"]] < value["sample"]["n"]
            value["judged_seeds"] = judged[value["claim"]] if fewer else None
        told.append({"column": column, "measured": measured, "seeds": seeds})
    return told


def accuracies(analysis: Analysis) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each accuracy of the main table with its column."""
    for entry in entries(analysis):
        for value in entry["measured"]:
            yield entry["column"], value


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


#: The columns of the benchmark's table that the page shows: heading, and `w` for words or `n` for numbers.
_BENCHMARK = {
    "architecture": ("Network", "w"),
    "augmentation": ("Augmentation", "w"),
    "program": ("Program", "w"),
    "processes": ("Processes", "n"),
    "threads": ("Threads each", "n"),
    "images_per_second": ("Images a second", "n"),
    "speedup": ("This engine is faster, times", "n"),
    "peak_share": ("Share of the matrix product's peak", "n"),
    "fixed_seconds": ("Fixed cost a job, s", "n"),
}


def benchmark_columns(analysis: Analysis) -> list[tuple[str, str, str]]:
    """(key, heading, `n` for numbers or `w` for words) of the columns that have an entry."""
    rows = analysis["benchmark"]["rows"]
    return [(key, *told) for key, told in _BENCHMARK.items() if any(row.get(key) not in (None, "") for row in rows)]


def benchmark_entry(key: str, value: Any) -> str:
    """One entry of the benchmark's table: a measurement has two or three digits that mean something."""
    if not fmt.exists(value):
        return fmt.text_or_missing(value)
    if key == "peak_share":
        return f"{fmt.share_of_100(value)} of 100"
    return fmt.count(value) if float(value).is_integer() and value < 100 else fmt.significant(value, 3)


def csv_address(text: str) -> str:
    """A CSV as an address that a link can offer for download, without any server."""
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"
