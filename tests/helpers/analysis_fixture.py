"""A small, complete analysis.json made by hand: invented numbers in the layout of report/analysis.schema.json.

For tests of figures and report alone. The numbers are drawn, not trained; nothing here says anything about networks.
"""

from __future__ import annotations

import json
from itertools import combinations, product
from pathlib import Path

import numpy as np
import yaml
from scipy import stats

from refashion.telling import document

ROOT = Path(__file__).parents[2]
CANNOT = "cannot say, because no run of this cell has finished"
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
ORIGINAL = {
    "cnn1/10k/none/b256_e100": (87.9, 99.4),
    "cnn1/60k/affine/b256_e50": (89.6, 90.8),
    "cnn4/10k/none/b256_e100": (90.0, 97.9),
    "cnn4/60k/affine/b256_e50": (92.7, 91.5),
    "lenet5/60k/none/b32_e20_sparse": (89.6, 98.0),
    "cnn4_same/60k/affine/b256_e50": (93.2, 92.4),
}
VERDICTS = ("reproduced", "not reproduced", "inconclusive", "not testable")


def schema() -> dict:
    return json.loads((ROOT / "report" / "analysis.schema.json").read_text())


def sample(values) -> dict:
    values = [round(float(value), 4) for value in values]
    n = len(values)
    mean = float(np.mean(values)) if n else None
    sd = float(np.std(values, ddof=1)) if n > 1 else None
    interval = prediction = None
    if n > 1:
        t = stats.t.ppf(0.975, n - 1)
        interval = [mean - t * sd / n**0.5, mean + t * sd / n**0.5]
        prediction = [mean - t * sd * (1 + 1 / n) ** 0.5, mean + t * sd * (1 + 1 / n) ** 0.5]
    reason = "" if n > 1 else CANNOT if n == 0 else "cannot say, because one run has no spread"
    return {
        "n": n,
        "seeds": list(range(n)),
        "values": values,
        "mean": mean,
        "sd": sd,
        "interval": interval,
        "prediction": prediction,
        "reason": reason,
    }


def benchmark() -> list[dict]:
    """Rows in the layout of results/benchmark.csv."""
    facts = {"device": "cpu", "cpu": "a processor", "cores": 2, "load": 0.1}
    rows = [
        {"architecture": network, "augmentation": augmentation, "program": program, "processes": 2, "threads": 1}
        | {"images_per_second": rate, "slowest": 0.95 * rate, "fastest": 1.04 * rate, "speedup": 30000 / rate}
        | {"peak_share": rate / 80000, "note": "two at a time" if program == "PyTorch" else "", **facts}
        for network, augmentation in product(("cnn1", "cnn4"), ("none", "affine"))
        for program, rate in (("this engine", 30000.0), ("plain script", 9000.0), ("PyTorch", 12000.0))
    ]
    peak = dict.fromkeys(rows[0]) | {"architecture": "", "program": "matrix product", "peak_share": 1.0, **facts}
    return [*rows, peak]


class Study:
    """Builds one analysis; `n` runs a cell, `absent` cells have none."""

    def __init__(self, n: int = 10, absent: tuple[str, ...] = (), seed: int = 0):
        self.n, self.absent, self.rng = n, absent, np.random.default_rng(seed)
        self.samples: dict[tuple[str, str], dict] = {}

    def sample(self, cell: str, metric: str = "val_accuracy", centre: float | None = None, sd: float = 0.25) -> dict:
        if (cell, metric) not in self.samples:
            n = 0 if cell in self.absent else self.n
            base = ORIGINAL.get(cell, (90.0, 95.0))
            centre = centre or {"train_accuracy": base[1], "train_seconds": 300.0}.get(metric, base[0])
            self.samples[cell, metric] = sample(self.rng.normal(centre, sd, n))
        return self.samples[cell, metric]

    # --- claims -------------------------------------------------------------------------------------------------------

    def numbers(self, cell: str, published: float, margin: float, metric: str) -> dict:
        ours = self.sample(cell, metric)
        known = ours["n"] > 1
        difference = None if ours["mean"] is None else ours["mean"] - published
        p_rep = float(np.clip(abs(difference) / 5, 0, 1)) if known else None
        outside = not ours["prediction"][0] <= published <= ours["prediction"][1] if known else None
        return {
            **{key: ours[key] for key in ("n", "seeds", "values", "mean", "sd", "interval", "prediction", "reason")},
            "cell": cell,
            "published": published,
            "diverged": 0,
            "difference": difference,
            "margin": margin,
            "p_rep": p_rep,
            "p_not": 0.0004 if known else None,
            "p_far": p_rep,
            "p_run": p_rep,
            "p_rep_adjusted": p_rep,
            "p_not_adjusted": 0.0024 if known else None,
            "image_variance": 0.0,
            "distinguishable": outside,
            "seeds_needed": 24 if known and abs(difference) < 1 else None,
            "break_even_reproduced": 0.71 if known else None,
            "break_even_not_reproduced": None,
            "sensitivity": [{"margin": m, "verdict": self.verdict(difference, m, known)} for m in (0.25, 0.5, 1.0)],
        }

    @staticmethod
    def verdict(difference, margin, known) -> str:
        if not known or margin * 0.7 <= abs(difference) <= margin * 1.3:
            return "inconclusive"
        return "reproduced" if abs(difference) < margin else "not reproduced"

    def accuracy_reading(self, given: dict, claim: dict, margin: float, primary: bool) -> dict:
        numbers = self.numbers(given["cells"][0], claim["value"], margin, given["metric"])
        verdict = self.verdict(numbers["difference"], margin, numbers["n"] > 1)
        reason = {
            "reproduced": "the mean over seeds is closer to the published number than the margin",
            "not reproduced": "the mean lies beyond the margin, and the published number is no run like these",
            "inconclusive": "the runs do not decide",
        }[verdict]
        return {
            "id": given["id"],
            "title": given["title"],
            "primary": primary,
            "note": given.get("note", ""),
            "cells": given["cells"],
            "metric": given["metric"],
            "verdict": verdict,
            "reason": reason,
            "tested": numbers["n"] > 1,
            "planned": True,
            "flags": ["distinguishable"] if numbers["distinguishable"] else [],
            "numbers": numbers,
            "checks": [],
        }

    def other_reading(self, given: dict, verdict: str, primary: bool) -> dict:
        check = {
            "label": given.get("title", "as stated"),
            "expected": given.get("value"),
            "found": 693962,
            "unit": "parameters",
            "interval": None,
            "p": None,
            "p_against": None,
            "test": "one-sided",
            "n": None,
            "holds": verdict == "reproduced",
            "reason": "",
        }
        return {
            "id": given["id"],
            "title": given.get("title", "as stated"),
            "primary": primary,
            "note": given.get("note", ""),
            "cells": [],
            "metric": "",
            "verdict": verdict,
            "reason": f"counted, and {verdict}",
            "tested": True,
            "planned": True,
            "flags": [],
            "numbers": None,
            "checks": [check],
        }

    def operating(self) -> dict:
        rates = [
            {"shift": shift, "reproduced": a, "not_reproduced": b, "inconclusive": 1 - a - b}
            for shift, a, b in ((0.0, 0.996, 0.0), (0.6, 0.03, 0.02), (1.2, 0.0, 0.97))
        ]
        return {
            "n": self.n,
            "sd": 0.2,
            "margin": 0.55,
            "repetitions": 1000,
            "monte_carlo_error": 0.016,
            "rates": rates,
            "published_is_a_run": True,
        }

    def claim(self, position: int, given: dict) -> dict:
        accuracy = given["kind"] == "accuracy"
        margin = 0.55 if given.get("margin") == "binomial" else 1.0
        if accuracy:
            readings = [self.accuracy_reading(one, given, margin, i == 0) for i, one in enumerate(given["readings"])]
        else:
            verdict = VERDICTS[position % 4]
            readings = [
                self.other_reading(one, verdict, i == 0) for i, one in enumerate(given.get("readings", [given]))
            ]
        verdicts = {one["verdict"] for one in readings}
        overall = "robust" if len(verdicts) == 1 else "specification-dependent"
        overall = "unsettled" if "inconclusive" in verdicts else overall
        return {
            **{key: given[key] for key in ("id", "kind", "where", "quote", "statement")},
            "note": given.get("note", ""),
            "value": given.get("value") if accuracy else None,
            "unit": "percent" if accuracy else "",
            "family": given["id"][0] if accuracy else "",
            "verdict": readings[0]["verdict"],
            "reason": readings[0]["reason"],
            "readings": readings,
            "overall": overall,
            "overall_reason": f"the readings are {overall}",
            "operating": self.operating() if accuracy and self.n > 1 else None,
        }

    # --- the rest -----------------------------------------------------------------------------------------------------

    def table(self, original: dict, claims: list[dict]) -> dict:
        verdicts = {one["id"]: one["verdict"] for one in claims}
        columns = [
            {
                **{key: one[key] for key in ("id", "title", "data", "cell")},
                "printed": "validation" in one,
                "training_claim": one.get("training"),
                "validation_claim": one.get("validation"),
            }
            for one in original["table"]["columns"]
        ]
        rows = []
        for row in original["table"]["rows"]:
            kind = "accuracy" if "accuracy" in row["name"] else "parameters" if "#" in row["name"] else "text"
            metric = "train_accuracy" if "Training" in row["name"] else "val_accuracy"
            values = []
            for column, printed in zip(columns, [*row["printed"], None], strict=True):
                claim = column["training_claim" if metric == "train_accuracy" else "validation_claim"]
                accurate = kind == "accuracy"
                values.append(
                    {
                        "printed": printed,
                        "ours": "" if accurate else printed or "the same",
                        "sample": self.sample(column["cell"], metric) if accurate else None,
                        "claim": claim if accurate else None,
                        "verdict": verdicts.get(claim) if accurate else None,
                        "agrees": None if accurate else "693,932" not in (printed or ""),
                    }
                )
            rows.append({"name": row["name"].replace("ti on", "tion"), "kind": kind, "values": values})
        return {"columns": columns, "rows": rows}

    def audit(self, original: dict) -> list[dict]:
        networks = []
        for name, given in original["summaries"].items():
            rows = [
                {
                    "name": row[0],
                    "printed": {"layer": row[1], "shape": row[2], "parameters": row[3]},
                    "built": {"layer": row[1], "shape": row[2], "parameters": row[3]},
                    "agrees": True,
                }
                for row in given["rows"]
            ]
            total = sum(row[3] for row in given["rows"])
            totals = [
                {"count": count, "printed": printed, "built": printed, "sum": None, "agrees": True}
                for count, printed in given["printed"].items()
            ]
            totals[0]["sum"] = total
            networks.append(
                {
                    "architecture": name,
                    "title": given["title"],
                    "note": given["note"],
                    "rows": rows,
                    "totals": totals,
                    "agrees": True,
                    "reason": "",
                }
            )
        return networks

    def inconsistencies(self, original: dict) -> list[dict]:
        number = {
            "label": "recomputed",
            "value": 693962,
            "unit": "parameters",
            "text": "",
            "interval": None,
            "n": None,
            "reason": "",
        }
        accuracy = {
            **number,
            "label": "over seeds",
            "value": 89.61,
            "unit": "percent",
            "interval": [89.4, 89.8],
            "n": 10,
        }
        nothing = {**number, "label": "not run", "value": None, "unit": "percent", "reason": CANNOT}
        return [
            {
                **{key: one[key] for key in ("id", "title", "said", "quotes", "claims")},
                "numbers": [number, accuracy, nothing][: len(one["recompute"])],
            }
            for one in original["inconsistencies"]
        ]

    def pair(self, a: str, b: str) -> dict:
        x, y = self.sample(a), self.sample(b)
        n = min(x["n"], y["n"])
        difference = sample(np.subtract(x["values"][:n], y["values"][:n]))
        known = n > 1
        p = float(stats.ttest_1samp(difference["values"], 0).pvalue) if known else None
        low = difference["interval"][0] if known else None
        conclusion = "none" if not known else "open" if p > 0.05 else "a" if low > 0 else "b"
        shares = {"a_ahead": 0.8, "b_ahead": 0.2, "tied": 0.0, "a_significant": 0.4, "b_significant": 0.0}
        return {
            "a": a,
            "b": b,
            "metric": "val_accuracy",
            "n": n,
            "mean_a": x["mean"],
            "mean_b": y["mean"],
            "difference": difference["mean"],
            "sd": difference["sd"],
            "interval": difference["interval"],
            "p": p,
            "p_adjusted": None if p is None else min(1.0, 15 * p),
            "p_sign_flip": 2 / 2**n if known else None,
            "sign_flip_exact": known or None,
            "p_smallest": 2 / 2**n if known else None,
            "sign_flip_words": "",
            "welch_interval": difference["interval"],
            "welch_p": p,
            "seed_correlation": 0.1 if known else None,
            "a12": 0.5 + 0.5 * np.sign(difference["mean"]) if known else None,
            "a12_words": "",
            "new_images_interval": difference["interval"],
            "one_run": shares if known else None,
            "conclusion": conclusion,
            "words": f"the comparison is {conclusion}",
            "reason": "" if known else "cannot say, because fewer than two seeds are shared",
        }

    def comparisons(self) -> list[dict]:
        common = {"metric": "val_accuracy", "reason": ""}
        return [
            {
                "id": "original",
                "title": "The six cells of the original",
                "experiment": "original",
                "axis": "",
                "kind": "confirmatory",
                "correction": "Holm",
                **common,
                "pairs": [self.pair(a, b) for a, b in combinations(ORIGINAL, 2)],
            },
            {
                "id": "augmentation",
                "title": "Augmentation",
                "experiment": "factorial",
                "axis": "augmentation",
                "kind": "exploratory",
                "correction": "Benjamini-Hochberg",
                **common,
                "pairs": [self.pair(*list(ORIGINAL)[:2])],
            },
        ]

    def policy(self, name: str, title: str) -> dict:
        levels = {
            "architecture": ["cnn1", "lenet5", "cnn4"],
            "fraction": ["10k", "60k"],
            "augmentation": ["none", "affine"],
        }
        cells = []
        for i, (architecture, fraction, augmentation) in enumerate(product(*levels.values())):
            cell = f"{architecture}/{fraction}/{augmentation}/{name}"
            cells.append(
                {
                    "cell": cell,
                    "architecture": architecture,
                    "fraction": fraction,
                    "augmentation": augmentation,
                    "images": 10000 if fraction == "10k" else 60000,
                    "sample": self.sample(cell, centre=87 + 0.45 * i),
                }
            )
        terms = [" x ".join(part) for size in (1, 2, 3) for part in combinations(levels, size)]
        effect = {"ss": 12.5, "df": 1, "f": 88.0, "p": 1e-6, "partial_omega2": 0.61}
        sensitivity = {"p_hc3": 1e-6, "p_logit": 1e-6, "partial_omega2_logit": 0.6}
        contrast = {
            "estimate": 1.52,
            "se": 0.1,
            "df": 17.3,
            "interval": [1.3, 1.7],
            "p": 1e-8,
            "p_adjusted": 1e-7,
            "paired_interval": [1.35, 1.66],
            "reason": "",
        }
        return {
            "id": name,
            "title": title,
            "question": "What does each do?",
            "metric": "clean_accuracy",
            "n_seeds": self.n,
            "complete": True,
            "formula": "accuracy ~ C(a)*C(f)*C(g) + C(seed)",
            "levels": levels,
            "anova": [{"term": term, **effect, **sensitivity} for term in [*terms, "seed"]],
            "residual": {"ss": 1.2, "df": 40, "sd": 0.17, "r2": 0.98},
            "contrasts": [{"label": f"effect of {term}", "factor": term, **contrast} for term in terms[:4]],
            "cells": cells,
            "reason": "",
        }

    def curve(self, cell: str) -> dict:
        epochs = list(range(1, 21))
        rise = [float(85 + 5 * (1 - 0.7**epoch)) for epoch in epochs]
        band = {"median": rise, "low": [v - 0.3 for v in rise], "high": [v + 0.3 for v in rise]}
        return {
            "cell": cell,
            "n": self.n,
            "epochs": epochs,
            "train": band,
            "val": band,
            "clean": band,
            "best_epoch": 17,
            "final_epoch": 20,
            "reason": "",
        }

    def specification_curves(self) -> list[dict]:
        options = list(product(("relu", "tanh"), (0.0, 0.2, 0.5), ("test", "fold")))
        points = []
        for i, (activation, dropout, validation) in enumerate(options if self.n else ()):
            ours = sample(self.rng.normal(87 + 0.35 * i, 0.2, self.n))
            points.append(
                {
                    "cell": f"cnn1_{activation}_{dropout}/{validation}/none/b256_e100",
                    "metric": "val_accuracy",
                    "choices": {"activation": activation, "dropout": dropout, "validation": validation},
                    "primary": i == 2,
                    "sample": ours,
                    "reason": "held against the margin",
                    "verdict": self.verdict((ours["mean"] or 0) - 91.97, 0.53, self.n > 1),
                }
            )
        return [
            {
                "claim": "V1",
                "experiment": "unstated",
                "published": 91.97,
                "margin": 0.53,
                "points": points,
                "left_out": 3,
                "within": sum(one["verdict"] == "reproduced" for one in points),
                "reason": "",
            }
        ]

    def cells(self) -> list[dict]:
        metrics = ("val_accuracy", "clean_accuracy", "train_accuracy", "eval_accuracy", "best_val_accuracy")
        names = [*ORIGINAL, *(f"cnn1/10k/none/b256_e100_{tail}" for tail in ("sgd1e-1", "rmsprop1e-3"))]
        rows = []
        for name in names:
            architecture, fraction, augmentation, recipe = name.split("/")
            missing = self.n if name in self.absent else 0
            rows.append(
                {
                    "cell": name,
                    "architecture": architecture,
                    "fraction": fraction,
                    "augmentation": augmentation,
                    "recipe": recipe,
                    "experiments": ["original" if name in ORIGINAL else "optimizers"],
                    "images": 10000,
                    "epochs": 100,
                    "updates": 4000,
                    "validation": "test",
                    "wanted": self.n,
                    "published": name in ORIGINAL,
                    "finished": self.n - missing,
                    "diverged": 0,
                    "failed": 0,
                    "missing": missing,
                    "mixed_machines": False,
                    "reason": CANNOT if missing else "",
                    "metrics": {
                        metric: self.sample(name, metric)
                        for metric in (*metrics, "honest_best_val_accuracy", "train_seconds")
                    },
                }
            )
        return rows

    def experiments(self) -> list[dict]:
        config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
        rows = []
        for name, given in config["experiments"].items():
            run = name in ("original", "optimizers", "unstated", "factorial", "factorial_published")
            cells = list(ORIGINAL) if name == "original" else []
            cells = [row["cell"] for row in self.cells()[6:]] if name == "optimizers" else cells
            rows.append(
                {
                    "name": name,
                    "title": given["title"],
                    "question": given["question"],
                    "note": given.get("note", ""),
                    "enabled": run,
                    "cells": cells,
                    "wanted": 6 * self.n if run else 0,
                    "finished": 6 * self.n if run else 0,
                    "diverged": 0,
                    "failed": 0,
                    "missing": 0,
                    "core_hours": 3.2,
                    "reason": "" if run else "cannot say, because this experiment was not run",
                }
            )
        return rows

    def variance(self) -> dict:
        noise = [
            {
                "cell": cell,
                "n": self.n,
                "images": 10000,
                "accuracy": 90.0,
                "binomial": 0.09,
                "between_images": 0.07,
                "within_images": 0.02,
                "seed_variance": 0.05,
                "true_seed_variance": 0.03,
                "true_seed_sd": 0.17,
                "reason": "",
            }
            for cell in ORIGINAL
        ]
        sources = [
            {"source": source, "variance": v, "sd": v**0.5, "share": share, "interval": [v / 3, v * 4], "p": 0.01}
            for source, v, share in (
                ("subset", 0.02, 0.3),
                ("initialiser and order", 0.04, 0.6),
                ("residual", 0.006, 0.1),
            )
        ]
        components = {"cells": [], "subsets": 5, "initialisers": 5, "sources": sources, "total": 0.066, "reason": ""}
        return {"image_noise": noise, "components": components, "reason": ""}

    def ranks(self) -> dict:
        k = len(ORIGINAL)
        chances = np.full((k, k), 0.04)
        np.fill_diagonal(chances, 0.8)
        chances = chances[[5, 3, 4, 1, 2, 0]].tolist()
        return {
            "metric": "val_accuracy",
            "cells": list(ORIGINAL),
            "n": self.n,
            "p_best": [row[0] for row in chances],
            "p_rank": chances,
            "p_rank_one_run": chances,
            "published_order": list(ORIGINAL)[:5],
            "p_published_order": 0.002,
            "p_published_order_same_seed": 0.0,
            "resamples": 20000,
            "reason": "",
        }

    def half_widths(self) -> dict:
        ns, targets = [2, 3, 5, 7, 10, 15, 20, 30, 40], [0.1, 0.15, 0.2, 0.3]
        cells = []
        for i, cell in enumerate(ORIGINAL):
            sd = 0.15 + 0.03 * i
            curve = [float(stats.t.ppf(0.975, n - 1) * sd / n**0.5) for n in ns]
            cells.append(
                {
                    "cell": cell,
                    "n": self.n,
                    "sd": sd if self.n > 1 else None,
                    "needed": [18, 10, 7, 5],
                    "half_width": float(np.interp(self.n, ns, curve)) if self.n > 1 else None,
                    "curve": curve,
                    "stein": None,
                    "reason": "",
                }
            )
        return {"ns": ns, "targets": targets, "cells": cells}

    def hardest(self) -> dict:
        images = [
            {"index": i, "label": i % 10, "q": 0.02 * i, "says": [{"label": (i + 1) % 10, "share": 0.9 - 0.02 * i}]}
            for i in range(12)
        ]
        histogram = [{"low": right, "high": right, "images": 100 + 300 * right} for right in range(6 * self.n + 1)]
        return {
            "n": 6 * self.n,
            "images": images,
            "histogram": histogram,
            "always_right": 7600,
            "always_wrong": 150,
            "reason": "",
        }

    def build(self) -> dict:
        original = yaml.safe_load((ROOT / "config" / "original.yaml").read_text())
        claims = [self.claim(i, given) for i, given in enumerate(original["claims"])]
        counts = {name.replace(" ", "_"): sum(one["verdict"] == name for one in claims) for name in VERDICTS}
        overall = {
            name.replace("-", "_").replace(" ", "_"): sum(one["overall"] == name for one in claims)
            for name in ("robust", "unsettled", "specification-dependent", "not testable")
        }
        cells = self.cells()
        confusion = (np.eye(10) * 850 + 15).round(1).tolist()
        optimism = [
            {
                "cell": cell,
                "metric": metric,
                "n": self.n,
                "final": 90.0,
                "honest_best": 90.3,
                "best": 90.5,
                "optimism": 0.2,
                "interval": [0.15, 0.25] if self.n > 1 else None,
                "best_epoch": 41,
                "reason": "",
            }
            for cell in ORIGINAL
            for metric in ("val", "clean")
        ]
        return {
            "format": document.FORMAT,
            "study": {
                "title": "The Fashion-MNIST Report, revisited",
                "preset": "full",
                "evidence": True,
                "evidence_reason": "",
                "question": "Do the numbers of a published report reproduce?",
                "answer": "Of the claims, some reproduce.",
                "confidence": 0.95,
                "level": 0.05,
                "units": "Accuracies are in percent.",
                "claims": len(claims),
                "verdicts": counts,
                "overall": overall,
                "runs": {"wanted": 6 * self.n, "finished": 6 * self.n, "diverged": 0, "failed": 0, "missing": 0},
                "seeds": {"least": self.n, "most": self.n},
                "core_hours": 31.2,
            },
            "original": {
                key: original[key] for key in ("title", "citation", "about", "data_citation", "validation_images")
            },
            "provenance": {
                "numerics": [1],
                "devices": [
                    {
                        "device": "cpu",
                        "device_name": "CPU",
                        "cpu": "a processor",
                        "threads": 1,
                        "precision": "float32",
                        "runs": 60,
                    }
                ],
                "mixed_machines": [],
                "training": [{"tensorflow": "2.21.0", "runs": 60}],
                "commits": [{"commit": "0123456789abcdef", "runs": 60}],
                "published_runs": 0,
                "resumed_runs": 1,
                "analysis": {"numpy": "2.4.6"},
                "data": {"train-images": "c5" * 32},
                "resamples": 20000,
                "seed": 0,
            },
            "experiments": self.experiments(),
            "claims": claims,
            "table": self.table(original, claims),
            "audit": self.audit(original),
            "inconsistencies": self.inconsistencies(original),
            "assumptions": [{**one, "varied": bool(one["experiment"])} for one in original["assumptions"]],
            "cells": cells,
            "comparisons": self.comparisons(),
            "effects": {
                "policies": [self.policy("factorial", "Equal updates"), self.policy("published", "Published epochs")],
                "reason": "",
            },
            "specification_curves": self.specification_curves(),
            "learning_curves": [self.curve(cell) for cell in ORIGINAL],
            "optimism": optimism,
            "ranks": self.ranks(),
            "half_widths": self.half_widths(),
            "variance": self.variance(),
            "confusion": [{"cell": cell, "n": self.n, "counts": confusion, "reason": ""} for cell in ORIGINAL],
            "hardest": self.hardest(),
            "classes": CLASSES,
            "cost": {
                "core_hours": 31.2,
                "cells": [
                    {
                        "cell": cell,
                        "n": self.n,
                        "seconds": 410.0,
                        "train_seconds": 380.0,
                        "images_per_second": 4210.0,
                        "core_hours": 1.1,
                        "missing_core_hours": 0.0,
                        "same_as": "",
                    }
                    for cell in ORIGINAL
                ],
            },
            "benchmark": {"rows": benchmark(), "reason": ""},
            "runs": {
                "missing": [{"cell": cell, "seeds": list(range(self.n))} for cell in self.absent],
                "failed": [],
                "diverged": [],
            },
            "data": {
                "name": "fashion_mnist",
                "title": "Fashion-MNIST",
                "facts": {"training images": 60000},
                "reason": "",
            },
        }


def analysis(n: int = 10, absent: tuple[str, ...] = ()) -> dict:
    """An analysis with `n` runs a cell; `absent` cells have none."""
    return json.loads(json.dumps(Study(n, absent).build()))


#: What a config may hold to break a page: markup, quotes, template and TeX braces, control characters, endless words.
HOSTILE = (
    "<script>document.title = 'scripted'</script>",
    '"><img src=x onerror="document.title=\'scripted\'">',
    "{{ 7 * 7 }}{% raw %}{#",
    r"$\frac{$ & < > ' \" ` ]]> --> </style></title></svg>",
    "x" * 300,
    "a\x00b\x0bc \ud800 end",
)


def hostile(value, key: str = "", turn=None):
    """The same analysis with a hostile text after every free text in it (what a schema fixes stays as it is)."""
    turn = turn or iter(HOSTILE[i % len(HOSTILE)] for i in range(10**9))
    if isinstance(value, dict):
        return {name: hostile(entry, name, turn) for name, entry in value.items()}
    if isinstance(value, list):
        return [hostile(entry, key, turn) for entry in value]
    free = (
        "title",
        "note",
        "quote",
        "quotes",
        "statement",
        "reason",
        "where",
        "said",
        "label",
        "what",
        "why",
        "source",
    )
    free += (
        "question",
        "answer",
        "preset",
        "about",
        "citation",
        "classes",
        "evidence_reason",
        "words",
        "data",
        "device_name",
    )
    return f"{value} {next(turn)}" if isinstance(value, str) and value and key in free else value
