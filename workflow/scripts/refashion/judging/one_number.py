"""A printed number and somebody's own runs: the verdict, its numbers and its reason, in words for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from refashion import formatting as fmt
from refashion.inference.evidence import (
    Evidence,
    MeansEvidence,
    half_error,
    image_margin,
    tested,
    weigh,
    weigh_means,
    with_margin,
)
from refashion.inference.intervals import t_interval
from refashion.inference.summaries import LEVEL
from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, Word, judge_family
from refashion.judging.reasons import reason_of

ANSWERS = {"close": "yes", "far": "no", "open": "not decided", "typical": "yes", "atypical": "no", None: fmt.MISSING}


def judge(values: Sequence[float], published: float, margin: float | None, images: int) -> str:
    """The verdict on a published number of one run; without a margin, the one that so many test images resolve."""
    why = "given" if margin is not None else f"what {fmt.count(images)} test images resolve"
    e = weigh(values, published, image_margin(published, images) if margin is None else margin)
    verdict = judge_family([e])[0]
    lines = [
        f"{verdict.verdict.capitalize()}: {reason_of(e, verdict)}.",
        "",
        *_runs(values, e),
        _line("margin", f"{fmt.number(e.margin)} pp ({why})"),
    ]
    if not tested(e):
        return "\n".join(lines)
    lines += [
        _line("closeness", f"is it what this recipe gives on average, within the margin? {ANSWERS[verdict.closeness]}"),
        _line("", f"{fmt.p_phrase(e.p_rep)} for closer, {fmt.p_phrase(e.p_far)} for farther"),
        _line("typicality", f"is it an ordinary run of this recipe? {ANSWERS[verdict.typicality]}"),
        _line(
            "",
            f"single runs fall between {fmt.number(e.run_low)} and {fmt.number(_shown(e.run_high, e, margin))}; "
            f"{fmt.p_phrase(e.p_run)}",
        ),
        _line("with other margins", _turns(verdict.break_even_reproduced, verdict.break_even_not_reproduced)),
    ]
    if margin is None and e.margin > half_error(published):
        lines.append(_line("wide margin", _half_error(e)))
    return "\n".join(lines)


def judge_mean(values: Sequence[float], published: float, spread: float, runs: int, margin: float) -> str:
    """The verdict on a published mean of several runs with the SD `spread`."""
    e = weigh_means(values, published, spread, runs, margin)
    verdict, reason = _mean_judged(e)
    lines = [f"{verdict.capitalize()}: {reason}.", "", *_runs(values, e)]
    lines.append(
        _line("published", f"mean {fmt.number(published)}, SD {fmt.number(spread)}, {fmt.plural(runs, 'run')}")
    )
    lines.append(_line("margin", f"{fmt.number(margin)} pp"))
    if e.p_rep is None:
        return "\n".join(lines)
    lines += [
        _line("closeness", f"{fmt.p_phrase(e.p_rep)} for closer, {fmt.p_phrase(e.p_far)} for farther (Welch)"),
        _line(
            "typicality",
            f"another study of {fmt.plural(e.n, 'run')} like the published ones falls between "
            f"{fmt.number(e.study_low)} and {fmt.number(e.study_high)}; {fmt.p_phrase(e.p_study)}",
        ),
    ]
    return "\n".join(lines)


def _runs(values: Sequence[float], e: Evidence | MeansEvidence) -> list[str]:
    interval = t_interval(values)
    mean = fmt.number(e.mean)
    if interval.low is not None:
        mean += f", 95% interval {fmt.number(interval.low)} to {fmt.number(interval.high)}; SD {fmt.number(e.sd)}"
    return [_line("your runs", f"{e.n}, mean {mean}")]


def _shown(high: float, e: Evidence, margin: float | None) -> float:
    """The upper end of an interval, at most 100 where the numbers are percentages (no margin of another unit given)."""
    return min(high, 100.0) if margin is None and e.published <= 100 else high


def _turns(reproduced: float | None, not_reproduced: float | None) -> str:
    """At which margins the verdict turns."""
    words = f"reproduced from {fmt.number(reproduced)} pp up"
    return words if not_reproduced is None else f"{words}, not reproduced up to {fmt.number(not_reproduced)} pp"


def _half_error(e: Evidence) -> str:
    """The verdict by a margin of half the published error, which is narrower than the margin."""
    narrow = with_margin(e, half_error(e.published))
    words = f"it exceeds half of the published error; within {fmt.number(narrow.margin)} pp: "
    return words + judge_family([narrow])[0].verdict


def _mean_judged(e: MeansEvidence) -> tuple[Word, str]:
    """The verdict on a published mean, and its reason."""
    if e.difference is None or e.p_rep is None or e.p_far is None or e.p_study is None:
        return INCONCLUSIVE, e.reason
    side = "above" if e.difference > 0 else "below"
    where = f"the mean of {e.n} runs is {abs(e.difference):.2f} pp {side} the published mean {e.published:.2f}"
    inside = e.p_study > LEVEL
    study = f"{'inside' if inside else 'outside'} what another study like the published one would give"
    if e.p_rep <= LEVEL:
        near = f"{where}, closer than the margin of {e.margin:.2f} pp{'' if inside else f', though {study}'}"
        return REPRODUCED, near
    if e.p_far <= LEVEL:
        far = f"{where}, farther than the margin of {e.margin:.2f} pp, {'yet' if inside else 'and'} {study}"
        return INCONCLUSIVE if inside else NOT_REPRODUCED, far
    return INCONCLUSIVE, f"imprecise: {where}, against a margin of {e.margin:.2f} pp"


def _line(name: str, text: str) -> str:
    return f"  {name:<19}{text}".replace(fmt.SPACE, " ")
