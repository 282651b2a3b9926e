"""The lede: what a study found, as a few sentences made from its analysis by rules that hold for any report.

Each rule gives a `Finding` or none. Nothing is said of accuracies where a preset is no evidence, and nothing of
intervals where a network has one run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from refashion import formatting as fmt
from refashion.telling import markup, words
from refashion.telling.cells import Analysis, cell_name

Claim = dict[str, Any]

COMPARISONS, COUNTED = "Comparisons", "Data, parameters, layers"
#: Kinds of claims, in the page's order: title, kinds of the analysis. What is in none is in the last.
GROUPS = (
    ("Validation accuracies", ("validation",)),
    ("Training accuracies", ("training",)),
    ("Gaps", ("gap",)),
    (COMPARISONS, ("best", "order", "much_worse", "near_best", "faster")),
    (COUNTED, ("fact", "parameters", "parameter_ratio", "layers")),
    ("Procedures and times", ()),
)
#: Why a claim is open, as a sentence says it.
ENDINGS = {
    "too few seeds": "for too few seeds",
    "at the margin": "at the margin, where more seeds will not tell",
    "the printed mean": "as the printed mean is known too roughly",
    "not run here": "for want of runs",
    "a lucky run": "as the printed number may be a lucky run",
    "an unlucky run": "as the printed number may be an unlucky run",
    "diverged runs": "for runs that diverged",
}
VERDICTS = ("reproduced", "not reproduced", "inconclusive", "not testable")

#: What is said of claims with each of VERDICTS, after "is" or "are".
OUTCOMES = dict(zip(VERDICTS, ("reproduced", "not reproduced", "open", "not testable"), strict=True))
#: What is found of a statement of the original's about networks, by the first of VERDICTS.
SAID = ("Claimed, and holds", "Claimed, but does not hold", "Claimed, and open")
#: Of more accuracies than these, the first screen gives no ids.
MOST_NAMED = 12
#: And of more statements than these that do not agree with what is counted, none is quoted.
MOST_QUOTED = 3


@dataclass(frozen=True)
class Finding:
    """One thing that was found: two or three words, a sentence or two, and the claims that it rests on."""

    head: str
    text: str
    claims: tuple[str, ...] = ()


def groups(analysis: Analysis) -> list[tuple[str, list[Claim]]]:
    """The claims by kind, in the page's order; kinds without a claim are left out."""
    known = {kind: title for title, kinds in GROUPS for kind in kinds}
    found: dict[str, list[Claim]] = {title: [] for title, _ in GROUPS}
    for claim in analysis["claims"]:
        found[known.get(words.kind_of(claim), GROUPS[-1][0])].append(claim)
    return [(title, claims) for title, claims in found.items() if claims]


def tally(claims: Sequence[Claim]) -> list[int]:
    """How many of the claims have each of VERDICTS."""
    return [sum(claim["verdict"] == verdict for claim in claims) for verdict in VERDICTS]


def letters(claims: Sequence[Claim]) -> str:
    """The letters with which the ids of claims begin, each once: D, P, L."""
    return ", ".join(dict.fromkeys(found[0] for one in claims if (found := re.match("[A-Za-z]+", one["id"]))))


def findings(analysis: Analysis) -> list[Finding]:
    """What the first screen says, most important first; last, whether that is interim."""
    interim = analysis["study"]["interim"]
    return [*_found(analysis), *([Finding("Interim", interim)] if interim else [])]


def _found(analysis: Analysis) -> list[Finding]:
    counted = [*_comparisons(analysis), *_counted(analysis)]
    if not analysis["study"]["evidence"]:
        text = "This preset shows that every step works. It trains far too little to say anything of an accuracy."
        return [Finding("No evidence", text), *_counted(analysis)]
    accuracies = [one for one in analysis["claims"] if one["kind"] == "accuracy"]
    if not accuracies:
        return counted
    if not any(_runs(one) for one in accuracies):
        which = "one printed accuracy waits" if len(accuracies) == 1 else f"{len(accuracies)} printed accuracies wait"
        text = f"The {which} for the first runs."
        return [Finding("No run yet", text), *_counted(analysis)]
    if max(_runs(one) for one in accuracies) == 1:
        text = "Each network was trained once. One run has no interval, so no printed accuracy can be judged."
        return [Finding("One run each", text), *counted]
    return [
        *_accuracies(accuracies),
        *_rescued(analysis),
        *_lost(analysis),
        *_unstated(analysis),
        *_open(accuracies),
        *counted,
    ]


def as_markdown(analysis: Analysis) -> str:
    """The findings as a list in Markdown, for the README."""
    return "\n".join(f"- **{one.head}.** {markup.markdown_text(one.text)}" for one in findings(analysis))


def deviations_told(analysis: Analysis) -> str:
    """One line of Markdown on what was decided after results had been seen; empty where nothing was."""
    deviations = analysis["original"]["deviations"]
    if not deviations:
        return ""
    number = fmt.plural(len(deviations), "rule was", "rules were").replace(fmt.SPACE, " ")
    return f"{number} decided after looking: the report says what, why, and what the verdict would have been otherwise."


def _runs(claim: Claim) -> int:
    """The runs that an accuracy is judged by."""
    runs: int = words.numbers_of(claim)["n"]
    return runs


def _ids(claims: Sequence[Claim]) -> tuple[str, ...]:
    return tuple(claim["id"] for claim in claims)


def _with(found: Sequence[Claim], verdict: str) -> list[Claim]:
    """Those of claims, or of readings, that have this verdict."""
    return [one for one in found if one["verdict"] == verdict]


def _accuracies(accuracies: Sequence[Claim]) -> Iterator[Finding]:
    """How the printed accuracies of each kind are judged, and how far ours lie from them."""
    for kind in ("validation", "training"):
        own = [claim for claim in accuracies if words.kind_of(claim) == kind]
        if len(own) == 1:
            [claim] = own
            ours = f" ({_ours_told(own)})" if _runs(claim) else ""
            text = f"The one that is printed, {fmt.percent(claim['value'])}, is {OUTCOMES[claim['verdict']]}{ours}."
            yield Finding(f"{kind} accuracy".capitalize(), text, _ids(own))
        elif own:
            parts = [
                f"{fmt.count(len(found))} {'is' if len(found) == 1 else 'are'} {outcome}{_named(found)}"
                for verdict, outcome in OUTCOMES.items()
                if (found := _with(own, verdict))
            ]
            if not _with(own, "reproduced"):
                parts.insert(0, "none is reproduced")
            text = f"Of {fmt.count(len(own))} that are printed, {fmt.sentence_list(parts)}."
            yield Finding(f"{kind} accuracies".capitalize(), text)


def _named(accuracies: Sequence[Claim]) -> str:
    """In brackets the ids of accuracies, where these are few, and how far ours lie from them; empty for neither."""
    ids = ", ".join(_ids(accuracies)) if len(accuracies) <= MOST_NAMED else ""
    told = ": ".join(filter(None, (ids, _ours_told(accuracies))))
    return f" ({told}{_but_half_error(accuracies)})" if told else ""


def _but_half_error(accuracies: Sequence[Claim]) -> str:
    """Those reproduced only since their margin is wider than half their printed error; empty for none."""
    wide = [
        claim["id"]
        for claim in _with(accuracies, "reproduced")
        if (half := words.numbers_of(claim)["half_error"]) and half["verdict"] != "reproduced"
    ]
    return f"; {fmt.sentence_list(wide)} not within half the printed error" if wide else ""


def _ours_told(accuracies: Sequence[Claim]) -> str:
    """How far our means lie from the printed numbers, the lowest and the highest; empty without a run."""
    differences = [round(words.numbers_of(claim)["difference"], 3) for claim in accuracies if _runs(claim)]
    if not differences:
        return ""
    low, high = min(differences), max(differences)
    if low == high == 0:
        return "ours the same"

    def far(value: float) -> str:
        return fmt.significant(abs(value), 2)

    if low < 0 < high:
        return f"ours {far(low)}{fmt.SPACE}pp lower to {far(high)}{fmt.SPACE}pp higher"
    near = words.span([abs(low), abs(high)], far)
    return f"ours {near}{fmt.SPACE}pp {'lower' if low < 0 else 'higher'}"


def _columns(analysis: Analysis) -> list[tuple[str, list[Claim]]]:
    """The columns of the table: name, and the claims about their accuracies (printed in them, and the gap between).

    Each accuracy that is printed elsewhere has one of its own.
    """
    claims = {claim["id"]: claim for claim in analysis["claims"]}
    gaps = [claim for claim in analysis["claims"] if claim["kind"] == "gap"]
    result = []
    for column in analysis["table"]["columns"]:
        own = [claims[column[key]] for key in ("validation_claim", "training_claim") if column[key]]
        if own and column["printed"]:
            own += [one for one in gaps if words.numbers_of(one)["cell"] == column["cell"]]
            result.append((cell_name(analysis, column["cell"]), own))
    found = {claim["id"] for _, own in result for claim in own}
    for claim in analysis["claims"]:
        if claim["kind"] == "accuracy" and claim["id"] not in found:
            name = cell_name(analysis, words.numbers_of(claim)["cell"])
            result.append((f"{name}, in the text", [claim]))
    return result


def _rescued(analysis: Analysis) -> Iterator[Finding]:
    """Columns whose validation accuracy comes out under another reading than the primary one."""
    for name, own in _columns(analysis):
        first = own[0]
        rescuing = _with(first["readings"][1:], "reproduced")
        if first["verdict"] != "not reproduced" or not rescuing:
            continue
        reading = rescuing[0]
        also = [one for one in own if any(r["id"] == reading["id"] for r in _with(one["readings"][1:], "reproduced"))]
        tried = sum(one["tested"] for one in first["readings"][1:])
        which = "the other reading" if tried == 1 else f"one of {fmt.count(tried)} other readings"
        text = (
            f"{name}: {_printed(first)} is not reproduced as written. Read as “{reading['title']}”, {which}, "
            f"{fmt.sentence_list(_ids(also))} {'are' if also[1:] else 'is'} reproduced."
        )
        yield Finding("Read otherwise", text, _ids(also))


def _lost(analysis: Analysis) -> Iterator[Finding]:
    """Columns with printed accuracies that no reading brings back."""
    told: list[str] = []
    found: list[Claim] = []
    for name, own in _columns(analysis):
        lost = [one for one in own if one["kind"] == "accuracy" and _never(one)]
        if lost:
            told.append(f"{name}: {fmt.sentence_list(map(_printed, lost))}")
            found += lost
    if told:
        number = "This is" if len(found) == 1 else "These are"
        yield Finding(
            "However read", f"{'; '.join(told)}. {number} not reproduced by any reading that was run.", _ids(found)
        )


def _unstated(analysis: Analysis) -> Iterator[Finding]:
    """Numbers not reproduced, under every other choice that was run of what the original leaves unstated."""
    claims = {claim["id"]: claim for claim in analysis["claims"]}
    told, found, counts = [], [], []
    for curve in analysis["specification_curves"]:
        claim, points = claims[curve["claim"]], [point for point in curve["points"] if not point["primary"]]
        if claim["verdict"] != "not reproduced" or not points:
            continue
        means = [point["sample"]["mean"] for point in points]
        close = sum(abs(mean - curve["published"]) <= curve["margin"] for mean in means)
        counts += [point["sample"]["n"] for point in points]
        told.append(
            f"of {fmt.count(len(points))} tried (ours {words.span(means, fmt.percent)}), {close or 'none'} "
            f"{'comes' if close == 1 else 'come'} within the margin of {fmt.percent(claim['value'])}"
        )
        found.append(claim)
    if told:
        runs = f"{words.span(counts, fmt.count)} {'run' if max(counts) == 1 else 'runs'} each"
        single = ", and one run is no verdict" if min(counts) == 1 else ""
        head = "Settings that the original does not state, at final and at best epochs"
        text = f"{head}: {'; '.join(told)}; {runs}{single}."
        yield Finding("Other settings", text, _ids(found))


def _never(claim: Claim) -> bool:
    """Not reproduced, nor by any other reading that was run."""
    return claim["verdict"] == "not reproduced" and not any(
        one["verdict"] in ("reproduced", "inconclusive") and one["tested"] for one in claim["readings"]
    )


def _printed(claim: Claim) -> str:
    """A printed accuracy and ours: `validation 91.97% (ours 89.1%, 5 seeds)`."""
    numbers = words.numbers_of(claim)
    ours = f"ours {fmt.percent(numbers['mean'], fmt.half_of(numbers['interval']))}"
    return f"{words.kind_of(claim)} {fmt.percent(claim['value'])} ({ours}, {fmt.plural(numbers['n'], 'seed')})"


def _by_ending(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    """The claims that are open by why, in the words of ENDINGS."""
    waiting = [one for one in claims if one["ending"]]
    found = {why: [one for one in waiting if one["ending"]["kind"] == kind] for kind, why in ENDINGS.items()}
    return {why: own for why, own in found.items() if own}


def endings_told(claims: Sequence[Claim]) -> str:
    """Why claims are open, as a sentence: how many of them for each kind of reason; empty where none is."""
    reasons = _by_ending(claims)
    if not reasons:
        return ""
    number = sum(map(len, reasons.values()))
    told = reasons if len(reasons) == 1 else (f"{fmt.count(len(own))} {why}" for why, own in reasons.items())
    return f"{fmt.plural(number, 'claim is', 'claims are')} open, {fmt.sentence_list(told)}."


def _open(accuracies: Sequence[Claim]) -> Iterator[Finding]:
    """Accuracies that stay open, why, and how many seeds would end that for those that seeds can end."""
    waiting = _with(accuracies, "inconclusive")
    if not waiting:
        return
    runs = sorted({_runs(one) for one in waiting if _runs(one)})
    have = f"After {words.span(runs, fmt.count)} {'seed' if runs[-1] == 1 else 'seeds'}, " if runs else ""
    told = [f"{fmt.sentence_list(_ids(own))} {why}" for why, own in _by_ending(waiting).items()]
    number = fmt.plural(len(waiting), "accuracy is", "accuracies are")
    reasons = f": {fmt.sentence_list(told)}" if told else ""
    yield Finding("Open", f"{have}{number} open{reasons}.{_would_end(waiting)}", () if told else _ids(waiting))


def _would_end(waiting: Sequence[Claim]) -> str:
    """The seeds that would end open claims, what they take, and with what chance; empty where none can be told."""
    told = [one["ending"] for one in waiting if one["ending"] and one["ending"]["seeds"]]
    looks = [one for one in told if one["chance"] is None]
    text = ""
    if looks:
        at = words.span([one["seeds"] for one in looks], fmt.count)
        which = "it" if len(waiting) == 1 else f"{fmt.count(len(looks))} of them"
        text = f" The next look, at {at} seeds, is for {which}."
    endings = [one for one in told if one not in looks]
    if not endings:
        return text
    which = "it" if len(waiting) == 1 else fmt.count(len(endings)) + " of them" if endings[1:] else "one of them"
    if len(endings) == len(waiting) > 1:
        which = "them"
    seeds = words.span([one["seeds"] for one in endings], fmt.count)
    hours = [one["core_hours"] for one in endings if one["core_hours"] is not None]
    cost = (
        f", at {words.span(hours, lambda value: fmt.significant(value, 2))} core-hours{' each' if hours[1:] else ''}"
        if hours
        else ""
    )
    chance, each = min(one["chance"] for one in endings), ", each by itself" if endings[1:] else ""
    return (
        f"{text} {seeds} seeds a network would settle {which} in {fmt.share_of_100(chance)} of 100 studies{each}{cost}."
    )


def _comparisons(analysis: Analysis) -> Iterator[Finding]:
    """What is said of networks against each other: a finding for each verdict that there is."""
    claims = dict(groups(analysis)).get(COMPARISONS, [])
    for head, verdict in zip(SAID, VERDICTS, strict=False):
        if own := _with(claims, verdict):
            told = " ".join(fmt.sentence(one["statement"]) for one in own)
            yield Finding(head, told + _would_end(own), _ids(own))


def _counted(analysis: Analysis) -> Iterator[Finding]:
    """How many of the statements that can be counted agree; those that do not, where they are few, with what is."""
    claims = dict(groups(analysis)).get(COUNTED, [])
    if not claims:
        return
    wrong = _with(claims, "not reproduced")
    right = len(_with(claims, "reproduced"))
    about = f"{fmt.plural(len(claims), 'statement')} about data, parameters and layers"
    text = f"Of {about}, {fmt.count(right)} {'agrees' if right == 1 else 'agree'} with what is counted here"
    if wrong:
        text += f"; {fmt.count(len(wrong))} {'does' if len(wrong) == 1 else 'do'} not"
    if 0 < len(wrong) <= MOST_QUOTED:
        told = (
            f"“{one['statement'].removesuffix('.')}” (counted: {words.reading_told(one, one['readings'][0])['ours']})"
            for one in wrong
        )
        text += f": {fmt.sentence_list(told)}"
    yield Finding("Counted", f"{text}.", _ids(wrong))
