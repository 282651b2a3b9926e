"""Effects in a complete factorial experiment: analysis of variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from refashion.inference.summaries import ROUNDING, finite_array


@dataclass(frozen=True, kw_only=True)
class AnovaEffect:
    """One term of an analysis of variance. partial_omega2 is slightly negative where F < 1."""

    name: str
    ss: float
    df: int
    f: float
    p: float
    partial_omega2: float


@dataclass(frozen=True, kw_only=True)
class Anova:
    """Type II analysis of variance; effects: main effects, then two-way, three-way, ...; the block last."""

    effects: tuple[AnovaEffect, ...]
    residual_df: int | None = None
    residual_sd: float | None = None
    reason: str = ""


def anova(
    y: ArrayLike, factors: Mapping[str, ArrayLike], block: ArrayLike | None = None, *, hc3: bool = False
) -> Anova:
    """Type II analysis of variance of y [N] over all interactions of the factors (name -> [N] labels), block additive.

    Every combination of at least two levels has runs, and more than one in all that the block does not explain.

    Partial omega^2 = (SS - df MSE) / (SS + (N - df) MSE) (Olejnik & Algina 2003, Psychological Methods 8, 434-447).
    hc3: F tests with MacKinnon & White's HC3 covariance, a sensitivity; omega^2 is then that of F,
    df (F - 1) / (df (F - 1) + N), the same expression. Its hypotheses are those of contrasts of equally weighted cell
    means (type III, sum coding): type II would weight the cells by their estimated covariances.
    """
    import pandas as pd  # these three late: importing them takes a second, and only this function needs them
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    y = finite_array(y, 1)
    blocks = {} if block is None else {"block": block}
    columns = {name: np.asarray(labels).astype(str) for name, labels in {**factors, **blocks}.items()}
    safe = {name: f"column{i}" for i, name in enumerate(columns)}  # so that no name is read as formula
    terms = {name: f"C({code}, Sum)" for name, code in safe.items()}
    names = {term: name for name, term in terms.items()}
    formula = "y ~ " + " + ".join(["*".join(terms[name] for name in factors), *(terms[name] for name in blocks)])
    centred = y - y.mean()  # values that agree in their first digits would lose the others when they are squared
    data = pd.DataFrame({"y": centred, **{safe[name]: labels for name, labels in columns.items()}})
    model = ols(formula, data).fit()
    if np.sqrt(model.mse_resid) <= ROUNDING * float(np.abs(y).max()):
        return Anova(effects=(), reason="cannot say, because nothing varies between runs of a cell")
    table = anova_lm(model, typ=3 if hc3 else 2, robust="hc3" if hc3 else None).drop(
        ["Intercept", "Residual"], errors="ignore"
    )
    effects = [
        _anova_effect(":".join(names[part] for part in term.split(":")), row, float(model.mse_resid), y.size)
        for term, row in table.iterrows()
    ]
    return Anova(
        effects=tuple(sorted(effects, key=lambda effect: (effect.name == "block", effect.name.count(":")))),
        residual_df=int(model.df_resid),
        residual_sd=float(np.sqrt(model.mse_resid)),
    )


def _anova_effect(name: str, row: Mapping[str, float], mse: float, size: int) -> AnovaEffect:
    """One row of statsmodels' table, with partial omega^2."""
    ss, df = float(row["sum_sq"]), int(row["df"])
    omega2 = (ss - df * mse) / (ss + (size - df) * mse)
    return AnovaEffect(name=name, ss=ss, df=df, f=float(row["F"]), p=float(row["PR(>F)"]), partial_omega2=omega2)


def logit_percent(accuracy: ArrayLike) -> np.ndarray:
    """The log odds of accuracies in percent (0 < accuracy < 100), the scale of the sensitivity analysis."""
    accuracy = np.asarray(accuracy, float)
    if not ((accuracy > 0) & (accuracy < 100)).all():
        raise ValueError("log odds exist between 0 and 100 percent, both excluded")
    return special.logit(accuracy / 100)
