"""Why the verdict on a published number is what it is: one plain sentence, without capital and full stop, in pp."""

from __future__ import annotations

from refashion.formatting import number
from refashion.inference.evidence import Evidence, Tested, tested
from refashion.inference.power import MOST_SEEDS, POWER
from refashion.inference.seeds import FORECAST_RUNS
from refashion.inference.summaries import LEVEL
from refashion.inference.verdicts import NOT_REPRODUCED, REPRODUCED, Cause, Verdict


def reason_of(e: Evidence, verdict: Verdict) -> str:
    """The reason of a verdict that `judge_family` gave on this evidence."""
    if verdict.cause == Cause.DIVERGED:
        return f"{e.diverged} of {e.n + e.diverged} runs diverged, and the rest do not stand for them"
    if verdict.cause == Cause.NO_TEST or not tested(e):
        return e.reason
    if verdict.verdict in (REPRODUCED, NOT_REPRODUCED):
        return _decided(e, verdict.verdict)
    if verdict.cause == Cause.CORRECTED:
        return _corrected(e, verdict)
    if verdict.cause == Cause.IMPRECISE:
        return f"imprecise: {_where(e)}, against a margin of {e.margin:.2f} pp{_would_decide(e, verdict)}"
    if verdict.cause == Cause.AT_MARGIN:
        return f"{_where(e)}, too near the margin of {e.margin:.2f} pp for {MOST_SEEDS:,} seeds to decide"
    if verdict.cause == Cause.PRINTED_MEAN:
        return f"{_where(e)}, itself known too roughly for a margin of {e.margin:.2f} pp, whatever our seeds"
    return _explained_by_one_run(e, verdict)


def _decided(e: Tested, word: str) -> str:
    """Why a claim is reproduced or not."""
    outside = f"the published number lies outside {_single_runs(e)}"
    if word == NOT_REPRODUCED:
        return f"{_where(e)}, farther than the margin of {e.margin:.2f} pp, and {outside}"
    none_too = ", within which 0 lies, too" * (abs(e.published) <= e.margin)
    unlike = f", though {outside}" * (e.p_run <= LEVEL)
    return f"{_where(e)}, closer than the margin of {e.margin:.2f} pp{none_too}{unlike}"


def _corrected(e: Tested, verdict: Verdict) -> str:
    """Why a claim that its own tests would decide stays open as one of several."""
    far = e.p_not <= e.p_rep
    side, alone = ("farther", e.p_not) if far else ("closer", e.p_rep)
    together = verdict.p_not_adjusted if far else verdict.p_rep_adjusted
    among = [f"as one of {verdict.family_size} tests of its kind"] * (verdict.family_size > 1)
    at_look = [f"at a look that spends {100 * verdict.spent:.0f}% of the level"] * (verdict.spent < 1)
    return (
        f"{_where(e)}, by itself {side} than the margin of {e.margin:.2f} pp (p = {alone:.2g}), but not "
        f"{' '.join([*among, *at_look])} (p = {together:.2g}){_would_decide(e, verdict)}"
    )


def _would_decide(e: Evidence, verdict: Verdict) -> str:
    """How many seeds would decide, as the end of a sentence; nothing of a spread that few runs have shown.

    Of a new study planned with so many: seeds added until a test decides make its p-value too small.
    """
    if verdict.seeds_needed is None or e.n < FORECAST_RUNS:
        return ""
    chance = f"{100 * POWER:.0f} of 100 studies planned with {verdict.seeds_needed} seeds would decide"
    return f"; if mean and SD stayed, {chance}"


def _explained_by_one_run(e: Tested, verdict: Verdict) -> str:
    """The mean lies far, but the published number may be one run of this cell."""
    sure = ", yet" if e.p_far <= LEVEL else " though not surely, and"
    far = f"{_where(e)}, farther than the margin of {e.margin:.2f} pp{sure}"
    if verdict.cause == Cause.NEAR_RUNS:
        return f"{far}, for one of several claims, too near {_single_runs(e)}"
    luck = "lucky" if e.difference < 0 else "unlucky"
    what = f"one {luck} run" if e.printed_runs == 1 else f"{luck} runs"
    return f"{far} {what} would give it: it lies {_single_runs(e)}"


def _where(e: Tested) -> str:
    """The mean beside the published number, in words."""
    apart = f"{abs(e.difference):.2f} pp {'above' if e.difference > 0 else 'below'}"
    if abs(e.difference) < 0.005:
        apart = "within 0.01 pp of"
    several = f" mean of {e.printed_runs} runs," if e.printed_runs > 1 else ""
    return f"the mean of {e.n} runs is {apart} the published{several} {number(e.published)}"


def _single_runs(e: Tested) -> str:
    what = "single runs fall" if e.printed_runs == 1 else f"means of {e.printed_runs} runs fall"
    return f"where {what} ({number(e.run_low)} to {number(min(e.run_high, 100.0))})"  # no accuracy lies above 100
