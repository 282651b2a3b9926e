"""Within cells: learning curves, best epochs, precision, sources of variance, images, specifications."""

from __future__ import annotations

from typing import Literal

from refashion.inference.verdicts import Word
from refashion.judging.document.parts import Ends, MetricSummary, Part, means, reason

#: Validation images augmented as the training images, or as they are.
Images = Literal["val", "clean"]


class Band(Part):
    """An accuracy after each of some epochs, over seeds."""

    median: list[float | None] = means("median", "percent")
    low: list[float | None] = means("2.5% quantile over seeds (the minimum below 40 seeds)", "percent")
    high: list[float | None] = means("97.5% quantile (the maximum below 40)", "percent")


class LearningCurve(Part):
    """Learning curves of a cell, at most 60 epochs."""

    cell: str = means("cell, architecture/fraction/augmentation/recipe")
    n: int = means("finished runs")
    epochs: list[int] = means("epochs shown, ascending, first and last included")
    train: Band = means("running training accuracy")
    val: Band = means("validation accuracy as validated")
    clean: Band = means("clean validation accuracy")
    best_epoch: float | None = means("median best epoch as validated", "epochs")
    reason: str = reason()


class Optimism(Part):
    """What choosing the best epoch on the validation images is worth."""

    cell: str = means("cell, architecture/fraction/augmentation/recipe")
    metric: Images = means("val or clean")
    n: int = means("runs")
    final: float | None = means("mean", "percent")
    honest_best: float | None = means("mean", "percent")
    best: float | None = means("mean", "percent")
    optimism: float | None = means("best - honest_best, mean: an upper bound", "pp")
    interval: Ends | None = means("of the optimism", "pp")
    best_epoch: float | None = means("median", "epochs")
    reason: str = reason()


class Stein(Part):
    """Stein's two stages."""

    target: float = means("half-width asked for", "pp")
    wanted: int | None = means("seeds that the pilot asks for")
    planned: int | None = means("after the cap")
    half_width: float | None = means("of Stein's interval now", "pp")
    words: str = means("stopped or capped, one sentence")


class CellPrecision(Part):
    cell: str = means("cell, architecture/fraction/augmentation/recipe")
    n: int = means("runs")
    sd: float | None = means("sd", "percent")
    half_width: float | None = means("of the interval at n", "pp")
    curve: list[float | None] = means("half-width at each of `ns`", "pp")
    needed: list[int | None] = means(
        "seeds for each of `targets`; null above 1,000, and where fewer than five runs tell the spread"
    )
    stein: Stein | None = means("where seeds stop by themselves; else null")
    reason: str = reason()


class HalfWidths(Part):
    """Number of seeds against precision."""

    ns: list[int] = means("numbers of seeds")
    targets: list[float] = means("half-widths", "pp")
    cells: list[CellPrecision] = means("cells of the original first")


class CellNoise(Part):
    """One cell's spread taken apart, pp^2."""

    cell: str = means("cell, architecture/fraction/augmentation/recipe")
    n: int = means("runs")
    within_images: float | None = means("part from luck on each image", "pp^2")
    seed_variance: float | None = means("of the accuracies", "pp^2")
    true_seed_variance: float | None = means("seed variance less luck on images, at least 0", "pp^2")
    reason: str = reason()


class VarianceSource(Part):
    source: str = means("what it is")
    variance: float | None = means("pp^2, at least 0", "pp^2")
    sd: float | None = means("sd", "pp")
    share: float | None = means("of the total", "0..1")
    interval: Ends | None = means("of the variance,", "pp^2")
    p: float | None = means("F test", "0..1")


class Components(Part):
    cells: list[str] = means("cells")
    sources: list[VarianceSource] = means("subset, initialiser and order, residual")
    total: float | None = means("total", "pp^2")
    reason: str = reason()


class Machines(Part):
    """What another machine does to a run, and to cells whose runs come from several."""

    pairs: int = means("pairs of runs, one seed and one function, that were trained on different kinds of machine")
    largest: float | None = means("the largest gap of validation accuracy in a pair", "pp")
    rms: float | None = means("root mean square of these gaps", "pp")
    seed_sd: float | None = means("SD over seeds in the cells of the pairs, pooled", "pp")
    alike: int = means("such pairs that were trained on one kind of machine")
    alike_largest: float | None = means("the largest gap in one of these", "pp")
    cells: list[str] = means("cells whose runs come from several kinds of machine")
    component: VarianceSource | None = means(
        "variance between machines within these cells; null where none can be told"
    )
    words: str = means('all that in a few sentences, or ""')


class Variance(Part):
    """Where the spread comes from."""

    machines: Machines = means("the same seed on other machines")
    image_noise: list[CellNoise] = means("cells of the original first")
    components: Components | None = means("from the experiment that crosses subsets and initialisers; null without it")
    reason: str = reason()


class Confusion(Part):
    """Mean confusion matrix of a cell, images as validated."""

    cell: str = means("cell, architecture/fraction/augmentation/recipe")
    n: int = means("runs")
    counts: list[list[float]] = means("true class: images a run, mean over runs", "images")
    reason: str = reason()


class Answer(Part):
    """A class that they say."""

    label: int = means("class")
    share: float = means("of runs", "0..1")


class HardImage(Part):
    index: int = means("position in the test images")
    label: int = means("class")
    q: float = means("share of runs that are right", "0..1")
    says: list[Answer] = means("most frequent first, at most 3")


class Bar(Part):
    low: int = means("fewest runs")
    high: int = means("most runs; the same where a bar is one number")
    images: int = means("count")


class Hardest(Part):
    """The test images, not augmented, that fewest runs of the original's cells have right."""

    n: int = means("runs")
    images: list[HardImage] = means("hardest first, at most 24")
    histogram: list[Bar] = means("how many images are right in so many runs")
    always_right: int = means("images that every run has right")
    always_wrong: int = means("images that every run has wrong")
    reason: str = reason()


class Specification(Part):
    cell: str = means("cell, architecture/fraction/augmentation/recipe")
    metric: str = means("column of runs.csv")
    choices: dict[str, bool | int | float | str | None] = means(
        "what differs from the primary specification: key -> value chosen", "as in the config"
    )
    primary: bool = means("the primary specification")
    sample: MetricSummary = means("sample")
    verdict: Word = means("against the published number, unadjusted")
    reason: str = means("the verdict's reason")


class SpecificationCurve(Part):
    """One published number under every specification."""

    claim: str = means("id of the claim")
    experiment: str = means("that varies what is unstated")
    published: float = means("published", "percent")
    margin: float = means("the margin", "pp")
    points: list[Specification] = means("sorted by mean, ascending; specifications without a run are left out")
    left_out: int = means("specifications without a run")
    within: int = means("points whose verdict is reproduced")
    reason: str = reason()
