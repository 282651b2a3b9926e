"""The page and its tables: whole sentences from any study, nothing unescaped, nothing typed, nothing private."""

import csv
import io
import json
import re
import time
from pathlib import Path

import html5lib
import jinja2
import numpy as np
import pytest
import yaml
from docutils.core import publish_parts

import synthetic
from analysis_fixture import HOSTILE, ORIGINAL, analysis, hostile
from project import PROJECT
from refashion.errors import UserError
from refashion.judging import analysis as analysis_of
from refashion.judging import collection
from refashion.judging.document import layout
from refashion.judging.inputs import Inputs
from refashion.telling import figure_style, figures, reporting

#: What of a template is no prose: comments, statements, expressions, commands, drawings, tags.
MARKUP = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<pre>.*?</pre>|<svg.*?</svg>|<[^>]*>", re.DOTALL)
#: The original's own print, quoted in a note of its summary: the one place where this word belongs.
QUOTED_NONE = '"(None,"'

CONFIG = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def quick_drawings():
    """A small drawing in place of each figure: tests/unit/telling/test_figures.py and tests/browser draw them."""
    monkeypatch = pytest.MonkeyPatch()
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M 0 0 L 9 9"/></svg>'

    def render(name, sketch):
        words = (sketch.title, sketch.caption, sketch.alternative)
        return figures.Drawing(name, *words, svg, None, figures.to_csv(sketch.data), sketch.reason)

    monkeypatch.setattr(figures, "render", render)
    yield monkeypatch
    monkeypatch.undo()


def page(given, config=None, pictures=None, partial=False) -> str:
    return reporting.render(given, pictures or reporting.Pictures(), config or CONFIG, partial)


def text_of(html: str) -> str:
    """What a reader reads: no markup, style, script or address."""
    document = html5lib.parse(html, namespaceHTMLElements=False)
    for parent in list(document.iter()):
        for child in list(parent):
            if child.tag in ("style", "script"):
                child.text = ""
    return " ".join("".join(document.itertext()).split())


STUDIES = {
    "whole": lambda: analysis(n=4),
    "one run a cell": lambda: analysis(n=1),
    "no run at all": lambda: analysis(n=0),
    "holes": lambda: with_holes(),
    "hostile": lambda: hostile(analysis(n=2)),
}


def with_holes() -> dict:
    given = analysis(n=5, absent=("cnn4/10k/none/b256_e100", "lenet5/60k/none/b32_e20_sparse"))
    given["study"]["runs"] = {"wanted": 30, "finished": 17, "diverged": 1, "failed": 2, "missing": 10}
    cell = "cnn1/10k/none/b256_e100"
    given["runs"]["failed"] = [
        {"cell": cell, "seed": 3, "reason": f"OSError: {Path.home()}/study/x: No space left on device"},
        {"cell": cell, "seed": 4, "reason": ""},
    ]
    given["runs"]["diverged"] = [{"cell": cell, "seed": 2, "epoch": 7}, {"cell": cell, "seed": 1, "epoch": None}]
    given["effects"] = {"policies": [], "reason": "cannot say, because the factorial experiment was not run"}
    given["specification_curves"] = []
    given["variance"]["components"] = None
    given["benchmark"] = {"rows": [], "reason": "cannot say, because the benchmark was not run"}
    given["study"]["evidence"] = False
    return given


@pytest.fixture(scope="module", params=STUDIES)
def html(request, quick_drawings):
    return page(STUDIES[request.param]())


def test_any_study_gives_valid_html(html):
    html5lib.HTMLParser(strict=True).parse(html)


def test_any_study_gives_whole_sentences(html):
    told = text_of(html).replace(QUOTED_NONE, "")
    for word in ("nan", "None", "inf", "undefined", "True(?! for)", "False"):
        assert not re.search(rf"\b{word}\b", told), word
    assert not re.search(r"[^.]\.\.(?!\.)| ,| \.(?!\w)|\(\)", told.replace("...", "")), "broken punctuation"


def test_every_link_of_the_page_has_its_target(html):
    ids = re.findall(r'\sid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'href="#([^"]*)"', html):
        assert target in ids


def test_nothing_leaves_the_file(html):
    addresses = re.findall(r'\s(?:src|href|action|srcset|poster|data)="([^"]*)"', html)
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert "@import" not in html
    assert "url(http" not in html


def test_hostile_words_stay_words():
    needed = ("analysis", "architectures", "fractions", "augmentations", "recipes")
    config = {key: CONFIG[key] for key in needed} | {"title": HOSTILE[0], "note": HOSTILE[3]}
    html = page(hostile(analysis(n=2)), config)
    document = html5lib.parse(html, namespaceHTMLElements=False)
    assert len(list(document.iter("script"))) == 1
    assert document.find(".//img[@onerror]") is None
    assert document.find(".//title").text.startswith("The Fashion-MNIST Report")
    told = text_of(html)
    for words in (HOSTILE[0], HOSTILE[2], HOSTILE[4]):
        assert words in told
    assert "49" not in re.findall(r"\{\{ 7 \* 7 \}\}|(?<!\d)49(?!\d)", told)
    assert "\x00" not in html
    html.encode()


def test_the_script_is_the_only_one_the_page_allows():
    html = page(analysis(n=2))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html).group(1)
    assert "default-src 'none'" in policy
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL).group(1)
    import base64
    import hashlib

    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy


def test_autoescape_is_on_and_holes_are_errors():
    environment = reporting._environment()
    assert environment.from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"
    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ nothing.here }}").render()


def test_no_number_of_a_result_is_typed_into_a_template():
    # Names that hold a digit, and commands: everything else with a digit must come out of an expression.
    names = ("A12", "SHA-256", "HC3", "ω²")
    for path in sorted(reporting.TEMPLATES.rglob("*.html.jinja")):
        source = path.read_text(encoding="utf-8")
        words = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<pre>.*?</pre>|<svg.*?</svg>|<[^>]*>", " ", source, flags=re.DOTALL
        )
        for name in names:
            words = words.replace(name, "")
        allowed = r"of 100|in 100|runs of 100"
        found = re.findall(r".{0,20}\d.{0,20}", re.sub(allowed, "", words))
        assert not found, f"{path.name}: {found}"


def test_every_claim_has_words_verdict_reason_and_evidence():
    given = analysis(n=4)
    document = html5lib.parse(page(given), namespaceHTMLElements=False)
    for claim in given["claims"]:
        entry = document.find(f".//li[@id='claim-{claim['id']}']")
        told = " ".join("".join(entry.itertext()).split())
        assert " ".join(claim["quote"].split()) in told
        assert " ".join(claim["statement"].split()) in told
        assert claim["verdict"] in told
        assert claim["reason"].rstrip(".")[1:] in told
        assert claim["where"] in told
        assert entry.get("data-verdict") == claim["verdict"]
        assert any(link.get("href", "").startswith("#") for link in entry.iter("a"))


def test_the_first_screen_counts_the_verdicts_and_links_every_claim():
    given = analysis(n=4)
    document = html5lib.parse(page(given), namespaceHTMLElements=False)
    header = document.find(".//header")
    counts = [int(number.text) for number in header.find(".//dl[@class='tally']").iter("dd")]
    assert counts == list(given["study"]["verdicts"].values())
    assert sum(counts) == given["study"]["claims"]
    links = [link.get("href") for link in header.find(".//ul[@class='strip']").iter("a")]
    assert links == [f"#claim-{claim['id']}" for claim in given["claims"]]
    assert "4\u00a0seeds" in "".join(header.itertext())


def test_a_preset_that_is_no_evidence_wears_a_banner():
    given = analysis(n=2)
    assert "This is no evidence" not in text_of(page(given))
    given["study"]["evidence"] = False
    assert "This is no evidence" in text_of(page(given))
    assert page(given, partial=True) == page(given), "all runs have finished"
    given["study"]["runs"] |= {"finished": given["study"]["runs"]["finished"] - 1, "diverged": 1}
    assert page(given, partial=True) == page(given), "all runs have ended"
    given["study"]["runs"] |= {"diverged": 0, "missing": 1}
    assert "An early look" in text_of(page(given, partial=True))
    assert "Not complete" in text_of(page(given))


def test_what_failed_is_named_with_its_last_line_and_no_home():
    told = text_of(page(with_holes()))
    assert "OSError: ~/study/x: No space left on device" in told
    assert str(Path.home()) not in told.replace("~", "")
    assert "the log is empty" in told
    assert "diverged" in told
    assert "seeds 0, 1, 2, 3 and 4" in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/ada/x.py", "~/x.py"),
        ('File "/home/ada.lovelace/a b"', 'File "~/a b"'),
        ("/Users/ada/Library", "~/Library"),
        (r"C:\Users\ada\x", r"~\x"),
        ("/root/x and /root", "~/x and ~"),
        ("/rooted/x", "/rooted/x"),
        ("results/home/x", "results/home/x"),
        ("bell\x07, nul\x00", "bell\ufffd, nul\ufffd"),
        ("tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_redact(text, expected):
    assert reporting.redact(text) == expected
    assert reporting.redact({text: [text]}) == {expected: [expected]}


def test_redact_knows_this_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert reporting.redact(f"{tmp_path}/me/x, {tmp_path}/men") == f"~/x, {tmp_path}/men"


@pytest.mark.parametrize(
    ("value", "unit", "interval", "expected"),
    [
        (91.973, "percent", [91.6, 92.4], "92.0%"),
        (91.973, "percent", None, "91.97%"),
        (-0.412, "pp", [-0.5, -0.3], "\u22120.41\u00a0pp"),
        (2.7705, "times", None, "2.77 times"),
        (693962, "parameters", None, "693,962"),
        (75.0, "seconds", None, "1\u00a0min 15\u00a0s"),
        ("10 classes", "", None, "10 classes"),
        (None, "percent", None, "\u2013"),
        (True, "", None, "yes"),
    ],
)
def test_amount(value, unit, interval, expected):
    assert reporting.amount(value, unit, interval) == expected


def test_a_claims_numbers_name_every_seed_and_both_sides_of_the_correction():
    (numbers,) = [c["readings"][0]["numbers"] for c in analysis(4)["claims"] if c["id"] == "V1"]
    told = dict(reporting.numbers_told(numbers | {"p_rep": 0.02, "p_rep_adjusted": 0.14, "p_not": 0.5}, "percent"))
    assert told["seed: run"] == ", ".join(
        f"{seed}: {value:.2f}" for seed, value in zip(numbers["seeds"], numbers["values"], strict=True)
    )
    assert told["test of “within the margin”"] == "p\u00a0=\u00a00.14 after Holm, 0.020 by itself"
    many = numbers | {"seeds": list(range(40)), "values": [90.0] * 40, "p_not": None, "p_not_adjusted": None}
    told = dict(reporting.numbers_told(many, "percent"))
    assert told["seed: run"].endswith("11: 90.00, and 28 more")
    assert "test of “beyond it”" not in told


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        (True, "p\u00a0=\u00a00.011, one-sided; 3\u00a0seeds"),
        (False, "p\u00a0=\u00a00.98 against it, one-sided; 3\u00a0seeds"),
        (None, "p\u00a0=\u00a00.011 for it, p\u00a0=\u00a00.98 against it, one-sided; 3\u00a0seeds"),
    ],
)
def test_a_check_tells_the_test_that_decides_or_both(holds, expected):
    check = {"label": "a minus b", "expected": "above 0", "found": 1.2, "unit": "seconds", "interval": [-90.0, 92.4]}
    check |= {"p": 0.011, "p_against": 0.98, "test": "one-sided", "n": 3, "holds": holds, "reason": ""}
    told = reporting.check_told(check)
    assert "(\u22121\u00a0min 30\u00a0s to 1\u00a0min 32\u00a0s)" in told
    assert told.endswith(expected)


# --- Tables -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tables(tmp_path):
    reporting.write_tables(hostile(analysis(n=4)), tmp_path)
    return tmp_path


def test_every_table_is_written(tables):
    assert {path.name for path in tables.iterdir()} == {Path(name).name for name in reporting.TABLES}


def test_the_original_beside_ours_as_csv(tables):
    rows = list(csv.DictReader(io.StringIO((tables / "original_vs_ours.csv").read_text(encoding="utf-8"))))
    assert len(rows) == 2 * len(ORIGINAL)
    assert {"91.97%", "90.29%", "89.92%", "92.51%", "92.11%"} <= {row["published"] for row in rows}
    assert all(row["seeds"] == "4" for row in rows)


def test_markdown_keeps_its_columns_whatever_the_words(tables):
    lines = (tables / "claims.md").read_text(encoding="utf-8").splitlines()
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
    assert bars == {9}
    assert not any(re.search(r"(?<!\\)<", line) for line in lines)


def test_latex_keeps_its_columns_whatever_the_words(tables):
    lines = (tables / "claims.tex").read_text(encoding="utf-8").splitlines()
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert len(body) == len(analysis(n=1)["claims"])
    for line in body:
        assert line.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", line)) == 7
        assert line.count("{") - line.count(r"\{") == line.count("}") - line.count(r"\}")


def test_latex_escapes():
    row = {"a": r"50% & $x_1^2$ #~{\}", "b": "\u22120.4\u00a0pp"}
    body = reporting.to_latex([row]).splitlines()[4]
    assert body == (r"50\% \& \$x\_1\textasciicircum{}2\$ \#\textasciitilde{}\{\textbackslash{}\} & $-$0.4~pp \\")


# --- Files and images -------------------------------------------------------------------------------------------------


def test_an_analysis_that_is_none_gives_one_sentence(tmp_path):
    path = tmp_path / "analysis.json"
    for text in ("{", "[]", '{"format": 0}'):
        path.write_text(text)
        with pytest.raises(UserError) as error:
            reporting.read_analysis(path)
        assert str(path) in str(error.value)
    path.write_text(json.dumps(analysis(n=1)))
    assert reporting.read_analysis(path)["format"] == reporting.FORMAT


def test_garments_are_shown_dark_on_light(tmp_path):
    from base64 import b64decode

    from PIL import Image

    garment = np.zeros((28, 28), np.uint8)
    garment[4:9, 4:9] = 255
    address = reporting.png(garment)
    pixels = np.asarray(Image.open(io.BytesIO(b64decode(address.partition(",")[2]))))
    assert (pixels == 255 - garment).all()


def test_pictures_come_from_the_files(tmp_path):
    data, examples = tmp_path / "fashion_mnist.npz", tmp_path / "examples.npz"
    np.savez(data, test_images=np.zeros((8, 28, 28), np.uint8))
    np.savez(examples, originals=np.zeros((2, 28, 28), np.float32), flip=np.ones((2, 28, 28), np.float32))
    given = analysis(n=2)
    pictures = reporting.pictures(given, [tmp_path / "another.npz", data], examples)
    assert [name for name, _ in pictures.augmentations] == ["originals", "flip"]
    assert sorted(pictures.garments) == list(range(8))
    html = page(given, pictures=pictures)
    assert html.count('class="garment"') == 4 + 8
    document = html5lib.parse(html, namespaceHTMLElements=False)
    assert all(image.get("alt") for image in document.iter("img"))


def test_broken_image_files_give_one_sentence(tmp_path):
    data = tmp_path / "fashion_mnist.npz"
    data.write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"fashion_mnist\.npz"):
        reporting.pictures(analysis(n=1), [data], None)
    np.savez(data, other=np.zeros(1))
    with pytest.raises(UserError, match=r"fashion_mnist\.npz"):
        reporting.pictures(analysis(n=1), [data], None)


def test_inline_drawings_are_the_only_other_markup():
    assert figure_style.inline("<svg xmlns='http://www.w3.org/2000/svg'/>", "a", "<b>").count("&lt;b") == 1


def test_every_figure_and_table_has_a_caption_for_snakemake():
    job = type("Job", (), {"config": CONFIG})
    captions = sorted((reporting.TEMPLATES / "captions").glob("*.rst"))
    assert set(figures.NAMES) < {path.stem for path in captions}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True)
    for path in (*captions, reporting.TEMPLATES / "workflow.rst"):
        text = environment.from_string(path.read_text(encoding="utf-8")).render(snakemake=job)
        parts = publish_parts(text, writer="html", settings_overrides={"report_level": 1, "halt_level": 2})
        assert len(parts["body"]) > 80, path.name


def test_the_page_is_written_for_the_layout_that_the_analysis_has():
    """Two constants, because the page must not import the analysis, which is heavy."""
    assert reporting.FORMAT == layout.FORMAT


def test_the_names_of_cells_are_explained_in_words_with_every_default_filled_in():
    """The page is given the checked config, with its defaults: what is not set (None) is left out."""
    study = synthetic.study(run=["original", "augmentations", "variance"], seeds=1)
    cells = [
        dict(zip(("architecture", "fraction", "augmentation", "recipe"), cell, strict=True))
        for cell in (("cnn1", "10k", "horizontal_flip", "b256_e100"), ("cnn1", "10k_subset0", "none", "b256_e100"))
    ]
    told = dict(reporting.names_of_cells({"cells": cells}, study.config))
    assert study.config["fractions"]["10k"]["subset_seed"] is None
    assert told["10k"] == "images 10000, dataset fashion_mnist, validation test"
    assert "subset seed 0" in told["10k_subset0"]
    assert told["horizontal_flip"] == "rescale unit, horizontal flip"
    assert "learning rate 0.001" in told["b256_e100"]


@pytest.mark.slow
def test_the_page_of_the_whole_study_is_small_and_quick(quick_drawings, tmp_path):
    """Every experiment of the config at ten seeds, drawn in full: at most 6 MB, and 30 s of processor time."""
    quick_drawings.undo()
    study = synthetic.study(run=synthetic.config()["experiments"], seeds=10)
    synthetic.write_runs(study, tmp_path, 1, images=500, epochs=20)
    collected = collection.collect(study, tmp_path, strict=True)
    given = json.loads(
        json.dumps(
            analysis_of.analyse(
                Inputs(
                    study=study,
                    original=synthetic.original(),
                    runs=synthetic.runs(study, synthetic.published(synthetic.original()), 7),
                    histories=collected.histories,
                    predictions=collected.predictions,
                )
            ).document
        )
    )
    started = time.process_time()
    html = reporting.render(given, reporting.Pictures(), study.config)
    assert time.process_time() - started < 30
    assert len(html.encode()) < 6 * 2**20
    html5lib.HTMLParser(strict=True).parse(html)
    told = text_of(html).replace(QUOTED_NONE, "")
    assert not re.search(r"\b(nan|None|inf)\b", told)
    ids = re.findall(r'\sid="([^"]*)"', html)
    assert len(ids) == len(set(ids))


def test_importing_for_the_snakefile_loads_no_heavy_library():
    import subprocess
    import sys

    scripts = reporting.TEMPLATES.parent / "workflow" / "scripts"
    code = (
        "import refashion.telling.reporting, sys; print(*{'matplotlib', 'jinja2', 'scipy', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
