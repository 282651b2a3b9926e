"""Published numbers judged: closeness and farness, the primary readings in families (Holm)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from refashion import formatting as fmt
from refashion.inference.evidence import Evidence, tested
from refashion.inference.intervals import prediction_interval, t_interval
from refashion.inference.verdicts import INCONCLUSIVE, REPRODUCED, Verdict, Word
from refashion.judging.claims.families import Family, Together
from refashion.judging.claims.looks import Stand
from refashion.judging.claims.published import Published, sample_of
from refashion.judging.claims.readings import SAYS, Context, Judged, a_reading
from refashion.judging.document.claims import Check, Numbers, Reading
from refashion.judging.facts import Facts, pair, why
from refashion.judging.reasons import reason_of
from refashion.judging.run_table import Sample


def readings(entry: Mapping[str, Any], context: Context) -> list[Reading]:
    """A published accuracy or gap: closeness and farness (weigh); the primary reading within its family.

    The other readings are one family with it: all readings of a claim ask about one number (Holm within the claim).
    A reading with several cells is reproduced if one of them is (all are members of the family), and not reproduced if
    none is.
    """
    facts, family = context.facts, context.families[entry["id"]]
    number = next(one for one in family.numbers if one.claim == entry["id"])
    seen = [[_seen(number, reading, cell, family) for cell in reading["cells"]] for reading in number.readings]
    all_seen = [one.evidence for one in itertools.chain(*seen)]
    different = dict.fromkeys(filter(tested, all_seen))  # the same runs in two readings are one test
    claim = Together((*different, *itertools.filterfalse(tested, all_seen)), facts.settings["sensitivity_margins"])
    found = []
    for reading, own in zip(number.readings, seen, strict=True):
        primary = reading is number.readings[0]
        cells = [_in_cell(one, family.together if primary else claim, facts) for one in own]
        found.append(a_reading(reading, primary, _of_cells(cells, facts), facts))
    return found


class Seen(NamedTuple):
    """The runs of one cell, what they say about a number, and where looks at it stand, if any has judged it."""

    sample: Sample
    evidence: Evidence
    stand: Stand | None


def _seen(number: Published, reading: Mapping[str, Any], cell: str, family: Family) -> Seen:
    """A primary reading has the runs that decided at its last look, any other all that there are."""
    stand = family.stand(number.claim, cell) if reading is number.readings[0] else None
    facts = family.facts.first(stand.seeds) if stand else family.facts
    sample = sample_of(cell, reading["metric"], facts)
    return Seen(sample, number.evidence(sample, family.facts), stand)


class InCell(NamedTuple):
    """A number held against one cell, judged."""

    evidence: Evidence
    verdict: Verdict
    numbers: Numbers
    stand: Stand | None

    @property
    def distance(self) -> float:
        return math.inf if self.evidence.difference is None else abs(self.evidence.difference)


def _in_cell(seen: Seen, together: Together, facts: Facts) -> InCell:
    sample, e, stand = seen
    position = together.evidence.index(e)
    verdict = stand.verdict if stand and stand.verdict else together.verdicts[position]
    prediction = prediction_interval(sample.values, facts.confidence, e.image_variance, e.printed_runs, e.printed_sd)
    numbers = Numbers.of(
        vars(e) | vars(verdict),
        cell=sample.cell,
        seeds=sample.seeds.tolist(),
        values=sample.values.tolist(),
        interval=pair(t_interval(sample.values, facts.confidence)),
        prediction=pair(prediction),
        half_error=stand.half_error if stand else together.half_error(position),
        sensitivity=stand.sensitivity(together.margins) if stand else together.sensitivity(position),
        reason=why(sample, facts, e.reason),
    )
    return InCell(e, verdict, numbers, stand)


def _of_cells(cells: Sequence[InCell], facts: Facts) -> Judged:
    """A reading from its cells; the cell that decides, else the nearest, gives the numbers."""
    words = [one.verdict.verdict for one in cells]
    word: Word = REPRODUCED if REPRODUCED in words else words[0] if len(set(words)) == 1 else INCONCLUSIVE
    shown = min(cells, key=lambda one: (one.verdict.verdict != word, one.distance))
    reason = shown.numbers.reason or _errors_told(shown.numbers) + reason_of(shown.evidence, shown.verdict)
    if len(cells) > 1:
        nearest = shown.distance == min(one.distance for one in cells)
        reason = _reason_of_several(word, shown.numbers, reason, nearest, facts)
    if word == REPRODUCED and shown.evidence.image_variance:
        reason = f"{reason}; this closeness holds for the held-out images, which are not the original's"
    if shown.stand:
        reason = f"{reason}; {shown.stand.told}"
    return Judged(
        word,
        reason,
        checks=[_cell_check(one, facts) for one in cells] if len(cells) > 1 else (),
        cells=[one.numbers.cell for one in cells],
        tested=any(one.numbers.p_rep is not None for one in cells),
        numbers=shown.numbers,
    )


def _errors_told(one: Numbers) -> str:
    """How many times fewer or more errors than published, where the margin is wider than half the published error."""
    if one.half_error is None or one.mean is None or one.mean >= 100 or one.mean == one.published:
        return ""
    ratio = (100 - one.published) / (100 - one.mean)
    times = f"{ratio:.1f} times fewer" if ratio >= 1 else f"{1 / ratio:.1f} times more"
    errors = f"{100 - one.mean:.2f}% against {100 - one.published:.2f}%"
    return f"with {times} errors ({errors}; {one.half_error.verdict} by a margin of half the published error), "


def _reason_of_several(word: str, shown: Numbers, reason: str, nearest: bool, facts: Facts) -> str:
    """The reason of the cell that is shown, and what it stands for among the cells of its reading."""
    where = facts.title(shown.cell)
    if word == REPRODUCED:
        return f"in {where}, {reason}"
    which = f"the nearest, {where}" if nearest else f"{where}, which leaves it open"
    return f"in no column is it reproduced; in {which}, {reason}"


def _cell_check(cell: InCell, facts: Facts) -> Check:
    one, word = cell.numbers, cell.verdict.verdict
    corrected = one.p_rep_adjusted != one.p_rep or one.p_not_adjusted != one.p_not
    return Check(
        label=f"{facts.title(one.cell)}: {word}",
        expected=one.published,
        found=one.mean,
        unit="percent",
        interval=one.interval,
        p=one.p_rep_adjusted,
        p_against=one.p_not_adjusted,
        test=f"within the margin or beyond it{f', {fmt.corrections(one.family_size, one.spent)}' if corrected else ''}",
        n=one.n,
        holds=SAYS.get(word),
        reason=one.reason,
    )
