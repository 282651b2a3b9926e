"""Figures: something to see or a reason, data that is there, ids that never collide, words that stay words."""

import csv
import io
import math
import os
import re
import subprocess
import sys
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from analysis_fixture import ORIGINAL, analysis, hostile
from project import PROJECT
from refashion import formatting as fmt
from refashion.telling import page
from refashion.telling.cells import cell_name
from refashion.telling.figures import catalogue, parts, style
from refashion.telling.redaction import redact

CELLS = tuple(ORIGINAL)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def full():
    return analysis(n=4)


@pytest.fixture(scope="module")
def drawings(full):
    return {name: catalogue.draw(full, name) for name in catalogue.NAMES}


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own drawings


def words(svg: str) -> str:
    return " ".join(text for element in parse(svg).iter(f"{SVG}text") if (text := element.text))


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_a_figure_shows_something_or_says_why_not(name, drawings):
    drawing = drawings[name]
    assert drawing.title
    marks = sum(1 for element in parse(drawing.svg).iter() if element.tag in (f"{SVG}path", f"{SVG}use"))
    if drawing.reason:
        assert name == "fractions", "the fixture runs everything else"
        assert drawing.reason.endswith(".")
        assert drawing.reason in words(drawing.svg)
    else:
        assert marks > 10
        assert drawing.caption.endswith(".")
        assert len(drawing.alternative) > 40
        assert len(list(csv.DictReader(io.StringIO(drawing.csv)))) > 1


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_words_and_data_hold_no_word_of_the_language(name, drawings):
    drawing = drawings[name]
    told = f"{drawing.title} {drawing.caption} {drawing.alternative} {drawing.csv} {words(drawing.svg)}"
    assert not re.search(r"\b(nan|None|inf|True|False)\b", told)


def test_the_forest_tells_each_published_number_and_every_seed(full, drawings):
    rows = list(csv.DictReader(io.StringIO(drawings["verdict_forest"].csv)))
    claims = [claim for claim in full["claims"] if claim["family"] == "V"]
    assert [row["claim"] for row in rows] == [claim["id"] for claim in claims]
    for row, claim in zip(rows, claims, strict=True):
        assert float(row["published"]) == claim["value"]
        assert [float(v) for v in row["values"].split()] == pytest.approx(
            claim["readings"][0]["numbers"]["values"], abs=5e-5
        )
        assert claim["verdict"] in words(drawings["verdict_forest"].svg)


@pytest.mark.parametrize("name", ["verdict_forest", "training_forest"])
def test_the_forest_says_how_many_runs_are_behind_each_row(name, full):
    family = {"verdict_forest": "V", "training_forest": "T"}[name]
    claims = [claim for claim in full["claims"] if claim["family"] == family]
    drawing = catalogue.draw(full, name)
    for svg in (drawing.svg, drawing.phone_svg):
        shown = words(svg)
        assert shown.count("4\u00a0runs") == len(claims)
        assert "ours lower" in shown
        assert "ours higher" in shown
        for claim in claims:
            assert f"published {claim['value']:.2f}%" in shown
    for claim in claims:
        assert f"{claim['id']}, " in drawing.alternative
        assert f"published {claim['value']:.2f}%" in drawing.alternative


def grey_rings(svg: str) -> int:
    """Rings of single runs: a thin line in the muted colour, drawn once and used for each."""
    drawing = parse(svg)
    look = f"stroke: {style.MUTED}"
    rings = {
        path.get("id")
        for path in drawing.iter(f"{SVG}path")
        if path.get("id") and look in path.get("style", "") and "C" in path.get("d", "")
    }
    link = "{http://www.w3.org/1999/xlink}href"
    return sum(use.get(link, "").removeprefix("#") in rings for use in drawing.iter(f"{SVG}use"))


@pytest.mark.parametrize("name", ["verdict_forest", "optimism", "learning_curves"])
def test_a_single_run_is_told_from_a_mean(name):
    alone, several = catalogue.draw(analysis(n=1), name), catalogue.draw(analysis(n=4), name)
    assert "single run" in alone.caption
    assert "single run" not in several.caption
    assert "1\u00a0run" in words(alone.svg)
    assert grey_rings(alone.svg) >= 6 > grey_rings(several.svg) == 0


def test_pairs_without_a_test_are_grey_and_say_so(full, drawings):
    drawing = catalogue.draw(analysis(n=1), "paired_differences")
    for svg in (drawing.svg, drawing.phone_svg):
        assert words(svg).count("no test") == 15  # every pair of six cells
        assert "p\u00a0" not in words(svg)
        assert style.BLUE not in svg
        assert style.ORANGE not in svg
    assert "15 without a test" in drawing.alternative
    tested = drawings["paired_differences"]
    assert "no test" not in words(tested.svg)
    assert tested.alternative.count("4\u00a0seeds") == 15
    assert "those not run included; the intervals do not" in tested.caption
    assert "augmented columns" not in tested.caption, "validation and clean accuracies are equal in this analysis"
    names = {cell: cell_name(full, cell) for cell in CELLS}
    for pair in full["comparisons"][0]["pairs"]:  # first minus second, as in the data and the table
        told = f"{names[pair['a']]} against {names[pair['b']]}: {fmt.points(pair['difference'])}, "
        assert told in tested.alternative
        assert fmt.points(pair["difference"], fmt.half_of(pair["interval"])) in words(tested.phone_svg)


def keep_cells(given: dict, kept: set[tuple[str, str, str]]) -> dict:
    """The analysis, of whose grids only these (network, fraction, augmentation) have runs."""
    empty = {"n": 0, "seeds": [], "values": [], "mean": None, "sd": None, "interval": None, "prediction": None}
    for policy in given["effects"]["policies"]:
        for cell in policy["cells"]:
            if (cell["architecture"], cell["fraction"], cell["augmentation"]) not in kept:
                cell["sample"] = {**empty, "reason": "cannot say, because no run has finished"}
    return given


def test_the_interaction_needs_a_network_with_both_ends():
    kept = {("cnn1", "10k", "none"), ("cnn4", "10k", "affine"), ("cnn1", "60k", "affine"), ("cnn4", "60k", "affine")}
    drawing = catalogue.draw(keep_cells(analysis(n=3), kept), "interaction")
    assert "both without and with augmentation" in drawing.reason


def test_an_interaction_has_no_panel_without_a_line_and_no_label_without_a_run():
    kept = {("cnn1", "60k", "none"), ("cnn1", "60k", "affine"), ("cnn4", "60k", "none"), ("lenet5", "10k", "none")}
    given = keep_cells(analysis(n=3), kept)
    given["effects"]["policies"] = given["effects"]["policies"][:1]
    given["effects"]["policies"][0]["title"] = "What changed together, taken apart (equal updates)"
    drawing = catalogue.draw(given, "interaction")
    shown = words(drawing.svg)
    assert "equal updates, 60,000 images, n = 3" in shown
    assert "10,000 images" not in shown
    assert "LeNet-5" not in shown
    assert "left out" in drawing.caption
    assert "ring without a line" in drawing.caption
    x = {element.text: float(element.get("x")) for element in parse(drawing.svg).iter(f"{SVG}text") if element.get("x")}
    assert x["4 Layer CNN"] < x["affine"] < x["1 Layer CNN"], "a name stands beside the last run of its network"


def test_learning_curves_tell_what_their_axis_cuts_off(full):
    assert "axis starts" not in catalogue.FIGURES["learning_curves"](full).notes
    given = analysis(n=4)
    curve = given["learning_curves"][2]
    curve["val"] = {part: [10.0, *values[1:]] for part, values in curve["val"].items()}
    sketch = catalogue.FIGURES["learning_curves"](given)
    assert re.search(r"axis starts at 8\d%; below it lie, not drawn, first epochs of .+ \(from 10\.00%\)", sketch.notes)
    assert "median final validation accuracy" in sketch.alternative


def test_the_names_of_the_optimism_are_whole(full):
    drawing = catalogue.draw(full, "optimism")
    for column in full["table"]["columns"]:
        for svg in (drawing.svg, drawing.phone_svg):
            assert cell_name(full, column["cell"]) in words(svg)


def test_the_most_frequent_mistake_is_that_of_all_panels():
    given = analysis(n=4)
    given["confusion"][4]["counts"][6][0] = 321.4
    sketch = catalogue.FIGURES["confusion"](given)
    worst = "Shirt taken for T-shirt/top, 321\u00a0images a run, in LeNet-5"
    assert worst in sketch.notes
    assert worst in sketch.alternative


def test_one_tall_bar_is_told_in_words_and_no_scale_is_bent(drawings):
    assert "not drawn" not in words(drawings["image_difficulty"].svg)
    given = analysis(n=3)
    bins = given["hardest"]["histogram"]
    for one in bins:
        one["images"] = 50 + one["low"]
    bins[-1]["images"] = 7149
    drawing = catalogue.draw(given, "image_difficulty")
    for svg in (drawing.svg, drawing.phone_svg):
        assert "7,149, not drawn" in words(svg)
    # Bars stand on one line, and their heights are as their numbers.
    paths = [path.get("d") for path in parse(drawing.svg).iter(f"{SVG}path") if style.BLUE in path.get("style", "")]
    corners = [[float(y) for y in re.findall(r"[ML] [\d.]+ ([\d.]+)", d)] for d in paths]
    heights = [max(ys) - min(ys) for ys in corners]
    assert len(heights) == len(bins) - 1
    expected = [one["images"] for one in bins[:-1]]
    assert heights == pytest.approx([expected[i] * heights[0] / expected[0] for i in range(len(expected))], rel=1e-3)


def test_specification_curves_that_wait_are_named_once():
    given = analysis(n=2)
    curve = given["specification_curves"][0] | {"points": [], "reason": "cannot say, because unstated was not run"}
    given["specification_curves"] = [curve, curve | {"claim": "V5"}]
    sketch = catalogue.FIGURES["specification_curves"](given)
    assert sketch.reason == "V1 and V5: cannot say, because unstated was not run."


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_a_phone_gets_letters_of_a_size_to_read(name, drawings):
    drawing = drawings[name]
    if drawing.reason:
        return
    root = parse(drawing.phone_svg)
    assert float(root.get("width").removesuffix("pt")) == pytest.approx(72 * style.NARROW, abs=1)
    styles = [element.get("style", "") for element in root.iter(f"{SVG}text")]
    sizes = [float(size) for style in styles for size in re.findall(r"font(?:-size)?: [^;]*?([\d.]+)px", style)]
    assert sizes
    assert min(sizes) >= 7.5


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("verdict_forest", lambda a: a["claims"].clear()),
        ("published_vs_reproduced", lambda a: a["table"].update(rows=[])),
        ("paired_differences", lambda a: a["comparisons"].clear()),
        ("ranks", lambda a: a["ranks"].update(p_rank=[], reason="cannot say, because one cell only was run")),
        ("interaction", lambda a: a["effects"].update(policies=[], reason="")),
        ("variance_components", lambda a: a["variance"].update(image_noise=[], components=None)),
        ("specification_curves", lambda a: a["specification_curves"].clear()),
        ("learning_curves", lambda a: a["learning_curves"].clear()),
        ("optimism", lambda a: a["optimism"].clear()),
        ("half_widths", lambda a: a["half_widths"].update(cells=[])),
        ("confusion", lambda a: a["confusion"].clear()),
        ("image_difficulty", lambda a: a["hardest"].update(histogram=[])),
        ("experiments", lambda a: a["experiments"].clear()),
    ],
)
def test_what_was_not_run_gives_a_sentence(name, change):
    bare = analysis(n=2)
    change(bare)
    sketch = catalogue.FIGURES[name](bare)
    assert sketch.draw is None
    assert re.fullmatch(r"[A-Z].+\.", sketch.reason)


@pytest.mark.parametrize("n", [1, 2])
def test_few_seeds_still_draw(n):
    few = analysis(n=n, absent=("lenet5/60k/none/b32_e20_sparse",))
    for name in ("verdict_forest", "published_vs_reproduced", "optimism", "specification_curves"):
        assert not catalogue.draw(few, name).reason


def test_hostile_words_are_drawn_as_words():
    nasty = redact(hostile(analysis(n=2)))
    drawing = catalogue.draw(nasty, "published_vs_reproduced")
    page = style.inline(drawing.svg, drawing.alternative)
    assert "<script" not in page
    assert 'onerror="' not in page
    parse(page)


def test_ids_of_two_drawings_never_collide(drawings):
    seen = set()
    for svg in (svg for one in drawings.values() if not one.reason for svg in (one.svg, one.phone_svg)):
        page = style.inline(svg, "what it shows")
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert not seen & set(ids)
        seen.update(ids)
        for target in re.findall(r'(?:url\(#|href="#)([^)"]+)', page):
            assert target in ids or f"#{target}".startswith(style.CLAIM)


def test_inline_follows_the_page_in_colour_font_and_name(drawings):
    page = style.inline(drawings["verdict_forest"].svg, 'what "it" shows & tells')
    root = parse(page)
    assert root.get("aria-label") == 'what "it" shows & tells'
    assert root.get("role") == "group", "its marks are links, which an image would hide"
    assert "var(--ink)" in page
    assert not re.search(r"#[0-9a-f]{6}", page)
    assert "font-family" not in page
    assert "<style" not in page
    assert root.get("width") is None
    plain = style.inline(drawings["optimism"].svg, "x")
    assert parse(plain).get("role") == "img"
    assert plain.count("fill: var(--paper)") == drawings["optimism"].svg.count(f"fill: {style.PAPER}") - 1


def test_the_file_on_disk_needs_no_page(drawings):
    assert "var(--" not in drawings["verdict_forest"].svg
    assert style.INK in drawings["verdict_forest"].svg
    sheet = parse(drawings["optimism"].svg).find(f".//{SVG}g[@id='patch_1']/{SVG}path")
    assert style.PAPER in sheet.get("style"), "readable on a dark ground too"


def test_the_same_analysis_gives_the_same_bytes(full):
    assert catalogue.draw(full, "optimism") == catalogue.draw(full, "optimism")


def test_a_dollar_is_a_dollar(full):
    changed = analysis(n=2)
    changed["names"]["cells"][changed["table"]["columns"][0]["cell"]] = r"$\frac{$"
    assert r"$\frac{$" in words(catalogue.draw(changed, "published_vs_reproduced").svg)


def test_every_colour_of_the_palette_is_in_the_style_sheet():
    sheet = (page.TEMPLATES / "style.css").read_text()
    for colour, variable in style.PALETTE.items():
        assert f"{variable}: light-dark({colour}," in sheet


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio": (L1 + 0.05) / (L2 + 0.05) of the relative luminances."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_formula():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)  # WCAG 2.2: black on white


@pytest.mark.parametrize("theme", [0, 1])
def test_text_colours_have_contrast_in_light_and_dark(theme):
    sheet = (page.TEMPLATES / "style.css").read_text()
    pairs = {
        name: (light, dark) for name, light, dark in re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", sheet)
    }
    for name in set(pairs) - {"paper", "panel", "rule", "hair"}:
        assert contrast(pairs[name][theme], pairs["paper"][theme]) >= 4.5, name


def test_labels_pushed_apart_keep_order_and_distance():
    positions = [1.0, 1.1, 1.2, 5.0]
    moved = parts.pushed_apart(positions, 0.5)
    assert moved == sorted(moved)
    assert all(b - a >= 0.5 - 1e-9 for a, b in pairwise(moved))
    assert math.isclose(sum(moved[:3]), sum(positions[:3]))
    assert moved[3] == 5.0
    assert parts.pushed_apart([], 1) == []


def test_many_seeds_are_thinned_with_a_note():
    assert parts.thin(list(range(1000))) == list(range(0, 1000, 17))
    assert parts.thin([90.1, 90.2, 90.3]) == [90.1, 90.2, 90.3]
    assert "every 17th" in parts.runs_note([3, 1000])
    assert parts.runs_note([60, 2]) == ""


def test_an_experiment_of_the_user_is_drawn_too(full):
    drawing = catalogue.draw(full, "experiment-optimizers")
    assert not drawing.reason
    assert len(list(csv.DictReader(io.StringIO(drawing.csv)))) > 1


def test_a_notebooks_backend_in_the_environment_is_none_of_ours():
    """In a process of its own, since Matplotlib reads the variable when it is imported, and knows no such module."""
    code = (
        "from refashion.telling.figures import style\n"
        "with style.style():\n    print('<svg' in style.to_svg(style.new_figure(1, 1)[0], 'x'))\n"
    )
    own = {
        "PYTHONPATH": str(PROJECT / "workflow" / "scripts"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | own, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr


def test_a_figure_is_written_in_every_kind_and_drawn_once(full, drawings, tmp_path):
    drawing = catalogue.draw(full, "optimism", tmp_path)
    assert drawing == drawings["optimism"]
    assert {path.suffix.removeprefix(".") for path in tmp_path.iterdir()} == set(catalogue.KINDS)
    assert (tmp_path / "optimism.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "optimism.png").read_bytes().startswith(b"\x89PNG")
    catalogue.write_drawings(drawings, tmp_path / "drawings.json")
    assert catalogue.read_drawings(tmp_path / "drawings.json") == drawings


def test_a_list_of_figures_has_titles_in_the_pages_order_and_none_that_cannot_be():
    titles = [catalogue.title_in_a_list(name) for name in catalogue.NAMES]
    assert titles == sorted(titles)
    assert "01. Verdict forest" in titles
    assert catalogue.possible("interaction", ["factorial"])
    assert not catalogue.possible("interaction", ["original"])
    assert not catalogue.possible("experiments", ["original", "readings"])
    assert all(catalogue.possible(name, ["original"]) for name in ("verdict_forest", "optimism", "speed"))


def test_marks_tell_their_values_and_forests_lead_to_their_claims(full, drawings):
    svg = drawings["verdict_forest"].svg
    titles = [one.text for one in parse(svg).iter(f"{SVG}title")]
    claims = [one for one in full["claims"] if one["kind"] == "accuracy" and one["id"].startswith("V")]
    assert len([one for one in titles if one.startswith("a run: ")]) == sum(
        len(one["readings"][0]["numbers"]["values"]) for one in claims
    )
    assert "told: " not in svg
    page_svg = style.inline(svg, "what it shows")
    for claim in claims:
        assert f'href="#claim-{claim["id"]}"' in page_svg
        assert any(claim["verdict"] in one for one in titles)
    assert 'role="group"' in page_svg
    assert 'role="img"' in style.inline(drawings["optimism"].svg, "x")
