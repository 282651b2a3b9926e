"""What other people's rules would have said of the published accuracies."""

from __future__ import annotations

from refashion.inference.verdicts import Word
from refashion.judging.document.parts import Part, means, reason


class RivalVerdicts(Part):
    """One published accuracy by each rule: true (it reproduces), false, or null where the rule says neither."""

    claim: str = means("id of the claim")
    ours: Word = means("our verdict")
    interval: bool | None = means("our interval of the mean holds the published number")
    run: bool | None = means("the prediction interval of one more run holds it")
    closeness: list[bool | None] = means("the mean is within .25, .5 and 1 pp")
    pooled: Word | None = means("our rule, with one spread pooled over the cells")
    bayes: bool | None = means("a Bayes factor of 3 at least for a run of this cell, against one of the rival cell")
    rival: str = means('title of the other reading that lies nearest the published number, or ""')
    single_runs: float | None = means("share of our runs each of which, alone, lies within our margin", "0..1")


class Rule(Part):
    """A rule, and how often it contradicts ours."""

    name: str = means("what it asks")
    source: str = means("who uses it")
    compared: int = means("claims that it and ours decide")
    disagreements: int = means("claims that they decide otherwise")


class RivalRules(Part):
    """The published accuracies by rivals of our rule, none of which decides anything here."""

    rules: list[Rule] = means("every rule, with how often it contradicts ours")
    claims: list[RivalVerdicts] = means("every published accuracy")
    pooled_sd: float | None = means("the pooled spread of validation accuracies", "pp")
    equal_spreads_p: float | None = means("Bartlett's test that the cells have one spread", "0..1")
    reason: str = reason()
