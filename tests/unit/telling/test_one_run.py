"""The papers of one run: by hand for two columns and two seeds."""

from refashion.telling import one_run


def claim(name, printed, values, margin=0.5):
    numbers = {
        "n": len(values),
        "published": printed,
        "margin": margin,
        "values": values,
        "seeds": [3, 7][: len(values)],
    }
    return {"id": name, "readings": [{"numbers": numbers}]}


def given(*claims):
    columns = [{"cell": f"net {one['id']}, all", "validation_claim": one["id"], "printed": True} for one in claims]
    return {"claims": list(claims), "table": {"columns": columns}, "names": {"cells": {}}}


def test_two_papers_by_hand():
    study = given(claim("A", 90.0, [90.5, 88.0]), claim("B", 89.0, [89.6, 89.0]))
    first, second = one_run.papers(study)
    assert (first.seed, first.values, first.within, first.best, first.as_printed) == (
        3,
        (90.5, 89.6),
        (True, False),
        "net A, all",
        True,
    )
    assert (second.seed, second.within, second.best, second.as_printed) == (7, (False, True), "net B, all", False)
    assert "1 of 2 within the margin" in first.told
    assert "in another order" in second.told
    summary = one_run.summary(study)
    assert "Of 2 papers" in summary
    assert "1 would have printed the columns in the original's order" in summary
    assert "Of their 4 numbers, 2 lie within the margin" in summary
    assert "2 different columns as the best" in summary


def test_one_seed_or_one_column_makes_no_papers():
    assert one_run.papers(given(claim("A", 90.0, [90.5]), claim("B", 89.0, [89.6]))) == []
    assert one_run.papers(given(claim("A", 90.0, [90.5, 88.0]))) == []
    assert one_run.summary(given()) == ""
