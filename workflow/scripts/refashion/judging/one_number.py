"""A printed number and somebody's own runs: the verdict, its numbers and its reason, in words for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from refashion import formatting as fmt
from refashion.inference.evidence import Evidence, Tested, half_error_margin, image_margin, tested, weigh, with_margin
from refashion.inference.intervals import t_interval
from refashion.inference.verdicts import judge_family
from refashion.judging.reasons import reason_of

ANSWERS = {"close": "yes", "far": "no", "open": "not decided", "typical": "yes", "atypical": "no", None: fmt.MISSING}


def judge(
    values: Sequence[float],
    published: float,
    margin: float | None,
    images: int,
    printed_runs: int = 1,
    printed_sd: float | None = None,
) -> str:
    """The verdict on a published number of one run, or on the mean of several, with their SD if that is printed.

    Without a margin, it is the one that so many test images resolve.
    """
    resolved = margin is None
    why = f"what {fmt.count(images)} test images resolve" if resolved else "given"
    e = weigh(
        values,
        published,
        image_margin(published, images) if margin is None else margin,
        printed_runs=printed_runs,
        printed_sd=printed_sd,
    )
    verdict = judge_family([e])[0]
    lines = [
        f"{verdict.verdict.capitalize()}: {reason_of(e, verdict)}.",
        "",
        _line("your runs", f"{e.n}, mean {fmt.number(e.mean)}{_spread_told(values, e)}"),
        *_printed(e),
        _line("margin", f"{fmt.number(e.margin)} pp ({why})"),
    ]
    if not tested(e):
        return "\n".join(lines)
    from_, up_to = verdict.break_even_reproduced, verdict.break_even_not_reproduced
    turns = f"reproduced from {fmt.number(from_)} pp up"
    lines += [
        _line("closeness", f"is it what this recipe gives on average, within the margin? {ANSWERS[verdict.closeness]}"),
        _line("", f"{fmt.p_phrase(e.p_rep)} for closer, {fmt.p_phrase(e.p_far)} for farther"),
        *_typicality(e, ANSWERS[verdict.typicality], resolved),
        _line("with other margins", turns + (f", not reproduced up to {fmt.number(up_to)} pp" if up_to else "")),
    ]
    if resolved and (half := half_error_margin(e)):
        narrow = judge_family([with_margin(e, half)])[0].verdict
        words = f"it exceeds half of the published error; within {fmt.number(half)} pp: {narrow}"
        lines.append(_line("wide margin", words))
    return "\n".join(lines)


def _spread_told(values: Sequence[float], e: Evidence) -> str:
    interval = t_interval(values)
    if interval.low is None:
        return ""
    return f", 95% interval {fmt.number(interval.low)} to {fmt.number(interval.high)}; SD {fmt.number(e.sd)}"


def _printed(e: Evidence) -> list[str]:
    """The published mean of several runs."""
    if e.printed_runs == 1:
        return []
    spread = "taken as that of your runs" if e.printed_sd is None else fmt.number(e.printed_sd)
    return [_line("published", f"mean {fmt.number(e.published)} of {e.printed_runs} runs, SD {spread}")]


def _typicality(e: Tested, answer: str, percentages: bool) -> list[str]:
    p = fmt.p_phrase(e.p_run)
    if e.printed_runs == 1:
        high = min(e.run_high, 100.0) if percentages else e.run_high
        return [
            _line("typicality", f"is it an ordinary run of this recipe? {answer}"),
            _line("", f"single runs fall between {fmt.number(e.run_low)} and {fmt.number(high)}; {p}"),
        ]
    half = (e.run_high - e.run_low) / 2
    ends = " and ".join(fmt.number(e.published + side * half) for side in (-1, 1))
    return [
        _line("typicality", f"is your mean what such a study would give again? {answer}"),
        _line("", f"another mean of {fmt.plural(e.n, 'run')} falls between {ends}; {p}"),
    ]


def _line(name: str, text: str) -> str:
    return f"  {name:<19}{text}".replace(fmt.SPACE, " ")
