"""Looks at the claims: judged from the first seeds of each cell, look by look, until none is open.

`hold` repeats every look from the runs that there are. So a study whose runs were restored, or came out of order,
stands where it would stand had they just been made; and the plan of the next look and the verdicts cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from refashion.inference import looks
from refashion.inference.evidence import Evidence, half_error_margin, weigh, with_margin
from refashion.inference.looks import Course, Difference, Look, State
from refashion.inference.summaries import LEVEL
from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, Verdict, Word, judge_one
from refashion.judging.claims import stated
from refashion.judging.claims.published import Published, numbers_by_family
from refashion.judging.document.claims import Sensitivity
from refashion.judging.facts import Facts
from refashion.study.model import Looks
from refashion.training.seeds import looks_told


class Member(NamedTuple):
    """A claim's number in one cell, or one of the differences of two cells that it states."""

    claim: str
    cells: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Followed:
    """Numbers, or the differences of one claim, that are judged together at each look that was held.

    see: what a look sees of each member, from the facts of its runs. look: what that shows, given the seeds of the
    last. settles: the state of one member that ends its claim. history: [look][member] what each look saw.
    """

    members: tuple[Member, ...]
    rule: Looks
    see: Callable[[Facts], Sequence[Any]]
    look: Callable[[Sequence[Any], int], Look]
    settles: State
    history: tuple[tuple[Any, ...], ...] = ()

    @cached_property
    def course(self) -> Course:
        """Where each member stands."""
        return self._follow(self.history)

    def _follow(self, history: Sequence[Sequence[Any]]) -> Course:
        ids = list(dict.fromkeys(member.claim for member in self.members))
        claims = [ids.index(member.claim) for member in self.members]
        held = [self.look(seen, self.rule.looks[-1]) for seen in history]
        return looks.follow(held, self.rule.spend, claims, self.settles)

    def after(self, facts: Facts) -> Followed:
        """What one more look at these facts leaves. A member that has ended keeps what its last look saw."""
        seen = self.see(facts)
        if self.history:
            ended = self.course.state != State.OPEN
            seen = [old if over else new for old, new, over in zip(self.history[-1], seen, ended, strict=True)]
        return replace(self, history=(*self.history, tuple(seen)))

    def stand(self, position: int) -> Stand:
        """Where a member stands, and the verdict on it so far."""
        look, state = int(self.course.look[position]), State(int(self.course.state[position]))
        evidence, most = self.history[look][position], self.rule.looks[-1]
        before = (self.course.look <= look) & (np.arange(len(self.members)) != position)
        decided = [int((before & (self.course.state == word)).sum()) for word in _WORDS]
        level_rep, level_not = (LEVEL / (len(self.members) - others) for others in decided)
        last = (np.array([level * self.rule.spend[-1] / LEVEL]) for level in (level_rep, level_not))
        chance = self.look([evidence], most).chance(*last)[0]
        p_rep, p_not = (float(p[position]) for p in (self.course.p_rep, self.course.p_not))
        verdict = None
        if isinstance(evidence, Evidence):
            spent = self.rule.spend[look] / LEVEL
            verdict = judge_one(evidence, p_rep, p_not, level_rep, level_not, len(self.members), spent)
            if state == State.OPEN and look + 1 < len(self.rule.looks):
                verdict = replace(verdict, seeds_needed=None)  # the next look says how many there will be
        return Stand(self, position, state, look + 1, evidence, verdict, p_rep, p_not, float(chance))

    def sensitivity(self, position: int, margin: float, *, alone: bool = False) -> Sensitivity:
        """The verdict on a number had all margins, or its own alone, been another, from the runs that there were."""
        history = [
            [e if alone and i != position else with_margin(e, margin) for i, e in enumerate(seen)]
            for seen in self.history
        ]
        state = State(int(self._follow(history).state[position]))
        return Sensitivity(margin=margin, verdict=_WORDS.get(state, INCONCLUSIVE))


#: The states that decide a member, in the order of p_rep and p_not.
_WORDS: dict[State, Word] = {State.REPRODUCED: REPRODUCED, State.NOT_REPRODUCED: NOT_REPRODUCED}


@dataclass(frozen=True, eq=False)
class Stand:
    """Where a member stands: the look (from 1) at which it ended, or the last one held.

    evidence: what that saw, Evidence on a number or a Difference. verdict: of a number; a difference has none. p_rep,
    p_not: adjusted (see `inference.looks.Course`). chance: that the last look decides it, if it is open.
    """

    among: Followed
    position: int
    state: State
    look: int
    evidence: Any
    verdict: Verdict | None
    p_rep: float
    p_not: float
    chance: float

    @property
    def spent(self) -> float:
        """The share of the level that its look spends."""
        return self.among.rule.spend[self.look - 1] / LEVEL

    @property
    def seeds(self) -> int:
        """Those of its look."""
        return self.among.rule.looks[self.look - 1]

    def sensitivity(self, margins: Sequence[float]) -> list[Sensitivity]:
        """The verdict on it with other margins."""
        return [self.among.sensitivity(self.position, margin) for margin in margins]

    @property
    def half_error(self) -> Sensitivity | None:
        """The verdict on it with half its error as margin; None where its own margin is not wider."""
        half = half_error_margin(self.evidence)
        return None if half is None else self.among.sensitivity(self.position, half, alone=True)

    @property
    def told(self) -> str:
        """At which look it ended, or what is to come, in words."""
        rule = self.among.rule
        look = f"look {self.look} of {len(rule.looks)}, at {self.seeds} seeds"
        match self.state:
            case State.STOPPED if self.evidence.diverged:
                return f"no more seeds are added for it ({look})"
            case State.STOPPED:
                chance = f"a chance of {100 * self.chance:.0f}% to be decided at {rule.looks[-1]}"
                return f"no more seeds are added for it ({look}, leaves it {chance})"
            case State.OPEN if self.look == len(rule.looks):
                return f"the last look, at {self.seeds} seeds, leaves it open"
            case State.OPEN:
                return f"interim: {look}; the next has {rule.looks[self.look]} seeds"
            case State.SETTLED:
                return f"no more seeds are added for it, since another cell settles it ({look})"
        return f"decided by {look}"


@dataclass(frozen=True, eq=False)
class Standing:
    """Where the looks of a study stand.

    cells: seeds of each cell with looks at the last look that had it. held: how many looks were held.
    """

    rule: Looks
    families: tuple[Followed, ...]
    cells: Mapping[str, int]
    held: int = 0

    @cached_property
    def members(self) -> dict[Member, Stand]:
        """Where each member of the families stands, once a look was held."""
        return {
            member: family.stand(position)
            for family in self.families
            if family.history
            for position, member in enumerate(family.members)
            if all(cell in self.cells for cell in member.cells)
        }

    def of(self, claim: str, *cells: str) -> Stand | None:
        """Where a claim's number in a cell, or its difference of two, stands; None where no look has judged it."""
        return self.members.get(Member(claim, cells))

    @cached_property
    def claims(self) -> dict[str, State]:
        """Where each claim with looks stands: as one member settles it, or all say; else open in one, or stopped."""
        found: dict[str, list[Stand]] = {}
        for member, stand in self.members.items():
            found.setdefault(member.claim, []).append(stand)
        return {claim: _state_of({one.state for one in of}, of[0].among.settles) for claim, of in found.items()}

    @cached_property
    def wants(self) -> dict[str, tuple[str, ...]]:
        """The claims that want more seeds of each cell; none where each has ended or the looks are through."""
        if self.held in (0, len(self.rule.looks)):
            return {}
        found: dict[str, dict[str, None]] = {}
        for member, stand in self.members.items():
            for cell in member.cells if stand.state == State.OPEN else ():
                found.setdefault(cell, {})[member.claim] = None
        return {cell: tuple(claims) for cell, claims in found.items()}

    @property
    def is_through(self) -> bool:
        """Whether no look is to come."""
        return bool(self.held) and not self.wants

    @property
    def is_held(self) -> bool:
        """Whether every look was held that the study holds, or those that any claim wanted."""
        return self.is_through or self.held == self.rule.held

    @property
    def planned(self) -> dict[str, int]:
        """The seeds of each cell, those of the look to come included."""
        return {cell: self.rule.looks[self.held] if cell in self.wants else seeds for cell, seeds in self.cells.items()}

    @property
    def told(self) -> str:
        """Where the study stands, in a sentence."""
        return looks_told(self.rule, self.held, len(self.cells), self.wants)


def _state_of(members: set[State], settles: State) -> State:
    if len(members) == 1 and members <= _WORDS.keys():
        return next(iter(members))
    return next((state for state in (settles, State.OPEN) if state in members), State.STOPPED)


def hold(facts: Facts, most: int | None = None) -> Standing | None:
    """Hold every look that the runs allow, at most `most`; None for a study without looks."""
    if (rule := facts.study.looks) is None:
        return None
    standing = Standing(rule, tuple(_followed(facts, rule)), dict.fromkeys(sorted(facts.looked_at), rule.looks[0]))
    for held, seeds in enumerate(rule.looks[: most or rule.held]):
        going = standing.wants if held else standing.cells
        seen = facts.first(seeds)
        counts = [seen.runs.counts(cell) for cell in going]
        if not counts or any(one.finished + one.diverged != seeds for one in counts):
            return standing
        families = tuple(family.after(seen) for family in standing.families)
        standing = Standing(rule, families, {**standing.cells, **dict.fromkeys(going, seeds)}, held + 1)
    return standing


def _followed(facts: Facts, rule: Looks) -> Iterator[Followed]:
    """The families that are judged by looks, before the first.

    Published numbers of which a cell has looks; gaps whose cell has, and comparisons of which every cell has.
    """
    for _, numbers in numbers_by_family(facts):
        members = tuple(Member(one.claim, (cell,)) for one in numbers for cell in one.cells)
        if not facts.looked_at.isdisjoint(member.cells[0] for member in members):
            yield Followed(members, rule, partial(_numbers_seen, numbers), looks.numbers, State.REPRODUCED)
    for entry in facts.original["claims"]:
        primary = entry["readings"][0] if entry["kind"] in stated.KINDS else {}
        differences = stated.stated(entry, primary, facts) if primary else []
        members = tuple(Member(entry["id"], (one.a, one.b)) for one in differences)
        in_points = bool(differences) and differences[0].unit == "pp"
        if in_points and facts.looked_at.issuperset(cell for member in members for cell in member.cells):
            see = partial(_differences_seen, differences, primary["metric"])
            yield Followed(members, rule, see, looks.stated, State.NOT_REPRODUCED)


def _numbers_seen(numbers: Sequence[Published], facts: Facts) -> list[Evidence]:
    """A cell without looks shows nothing: its number counts in the family as p = 1 at each of them."""
    return [
        one.primary_evidence(cell, facts) if cell in facts.looked_at else weigh([], one.value, one.margin)
        for one in numbers
        for cell in one.cells
    ]


def _differences_seen(differences: Sequence[stated.Stated], metric: str, facts: Facts) -> list[Difference]:
    return [one.excess(metric, facts) for one in differences]
