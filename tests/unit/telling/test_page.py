"""The page and its tables: whole sentences from any study, nothing unescaped, nothing typed, nothing private."""

import base64
import hashlib
import json
import re
import time
from pathlib import Path

import html5lib
import jinja2
import numpy as np
import pytest
from docutils.core import publish_parts

import run_folders
import synthetic
from analysis_fixture import HOSTILE, analysis, hostile, with_holes
from project import PROJECT
from refashion import yaml_files
from refashion.judging import analysis as analysis_of
from refashion.judging import collection
from refashion.judging.facts import Facts
from refashion.judging.run_table import RunTable
from refashion.telling import markup, page, pictures
from refashion.telling.figures import catalogue

#: What of a template is no prose: comments, statements, expressions, commands, drawings, tags.
MARKUP = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<pre>.*?</pre>|<svg.*?</svg>|<[^>]*>", re.DOTALL)
#: The original's own print, quoted in a note of its summary: the one place where this word belongs.
QUOTED_NONE = '"(None,"'

CONFIG = yaml_files.read(PROJECT / "config" / "config.yaml")
REFERENCES = yaml_files.read(page.TEMPLATES / "references.yaml")


@pytest.fixture(scope="module", autouse=True)
def quick_drawings():
    """A small drawing in place of each figure: tests/unit/telling/test_figures.py and tests/browser draw them."""
    monkeypatch = pytest.MonkeyPatch()
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M 0 0 L 9 9"/></svg>'

    def small(name, sketch, caption="", folder=None):
        words = (sketch.title, caption, sketch.alternative)
        return catalogue.Drawing(name, *words, svg, svg, markup.to_csv(sketch.data), sketch.reason)

    monkeypatch.setattr(catalogue, "render", small)
    yield monkeypatch
    monkeypatch.undo()


def render(given, config=None, images=None, partial=False) -> str:
    return page.render(given, images or pictures.Pictures(), config or CONFIG, partial=partial)


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
    "holes": with_holes,
    "hostile": lambda: hostile(analysis(n=2)),
}


@pytest.fixture(scope="module", params=STUDIES)
def html(request, quick_drawings):
    return render(STUDIES[request.param]())


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
    cited = {one["url"] for one in REFERENCES}  # links for who is online, which load nothing
    assert all(address.startswith(("#", "data:")) or address in cited for address in addresses)
    assert not re.search(r'\s(?:src|srcset|poster|data)="https?:', html)
    assert "@import" not in html
    assert "url(http" not in html


def test_hostile_words_stay_words():
    original = CONFIG["experiments"]["original"] | {"note": HOSTILE[3]}
    config = CONFIG | {"title": HOSTILE[0], "experiments": CONFIG["experiments"] | {"original": original}}
    html = render(hostile(analysis(n=2)), config)
    document = html5lib.parse(html, namespaceHTMLElements=False)
    assert len(list(document.iter("script"))) == 1
    assert document.find(".//img[@onerror]") is None
    assert document.find(".//title").text.startswith("The Fashion-MNIST Report")
    told = text_of(html)
    for words in (HOSTILE[0], HOSTILE[2], HOSTILE[4]):
        assert words in told
    assert str(7777 * 7777) not in told
    assert "\x00" not in html
    html.encode()


def test_the_script_is_the_only_one_the_page_allows():
    html = render(analysis(n=2))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html).group(1)
    assert "default-src 'none'" in policy
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL).group(1)
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy


def test_autoescape_is_on_and_holes_are_errors():
    environment = page._environment()
    assert environment.from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"
    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ nothing.here }}").render()


def test_what_was_fixed_before_and_decided_after_the_runs_is_said_by_the_reports_own_file():
    given = analysis(n=2)
    original = given["original"]
    decided = [one[key] for one in original["deviations"] for key in ("what", "otherwise")]
    said = [*original["registration"].values(), *decided]
    told = text_of(render(given))
    assert len(said) > 3
    for words in said:
        assert " ".join(words.split()) in told
    original |= {"registration": {"readings": "", "margins": ""}, "deviations": []}
    told = text_of(render(given))
    for words in (*said, "What was decided after looking", "before the first"):
        assert " ".join(words.split()) not in told


def test_no_number_of_a_result_is_typed_into_a_template():
    # Names that hold a digit, and commands: everything else with a digit must come out of an expression.
    names = ("A12", "SHA-256", "HC3", "ω²")
    for path in sorted(page.TEMPLATES.rglob("*.html.jinja")):
        words = MARKUP.sub(" ", path.read_text(encoding="utf-8"))
        for name in names:
            words = words.replace(name, "")
        allowed = r"of 100|in 100|runs of 100"
        found = re.findall(r".{0,20}\d.{0,20}", re.sub(allowed, "", words))
        assert not found, f"{path.name}: {found}"


def test_every_claim_has_words_verdict_reason_and_evidence():
    given = analysis(n=4)
    document = html5lib.parse(render(given), namespaceHTMLElements=False)
    for claim in given["claims"]:
        entry = document.find(f".//li[@id='claim-{claim['id']}']")
        told = " ".join("".join(entry.itertext()).split())
        assert " ".join(claim["quote"].split()) in told
        assert " ".join(claim["statement"].split()) in told
        assert claim["verdict"] in told
        assert " ".join(claim["reason"].split()).rstrip(".")[1:] in told
        assert claim["where"].rstrip(".")[1:] in told
        assert entry.get("data-verdict") == claim["verdict"]
        assert any(link.get("href", "").startswith("#") for link in entry.iter("a"))


def test_the_first_screen_counts_the_verdicts_and_links_every_claim():
    given = analysis(n=4)
    document = html5lib.parse(render(given), namespaceHTMLElements=False)
    header = document.find(".//header")
    counts = [int(number.find("a").text) for number in header.find(".//dl[@class='tally']").iter("dd")]
    assert counts == list(given["study"]["verdicts"].values())
    assert sum(counts) == given["study"]["claims"]
    links = [link.get("href") for link in header.find(".//ul[@class='strip']").iter("a")]
    assert links == [f"#claim-{claim['id']}" for claim in given["claims"]]
    assert "4\u00a0seeds" in "".join(header.itertext())


def test_a_preset_that_is_no_evidence_wears_a_banner():
    given = analysis(n=2)
    assert "This is no evidence" not in text_of(render(given))
    given["study"]["evidence"] = False
    assert "This is no evidence" in text_of(render(given))
    assert render(given, partial=True) == render(given), "all runs have finished"
    given["study"]["runs"] |= {"finished": given["study"]["runs"]["finished"] - 1, "diverged": 1}
    assert render(given, partial=True) == render(given), "all runs have ended"
    given["study"]["runs"] |= {"diverged": 0, "missing": 1}
    assert "An early look" in text_of(render(given, partial=True))
    assert "Not complete" in text_of(render(given))


def test_what_failed_is_named_with_its_last_line_and_no_home():
    told = text_of(render(with_holes()))
    assert "OSError: ~/study/x: No space left on device" in told
    assert str(Path.home()) not in told.replace("~", "")
    assert "the log is empty" in told
    assert "diverged" in told
    assert "seeds 0, 1, 2, 3 and 4" in told


def test_pictures_come_from_the_files(tmp_path):
    data, examples = tmp_path / "fashion_mnist.npz", tmp_path / "examples.npz"
    np.savez(data, test_images=np.zeros((400, 28, 28), np.uint8))
    np.savez(examples, originals=np.zeros((2, 28, 28), np.float32), flip=np.ones((2, 28, 28), np.float32))
    given = analysis(n=2)
    images = pictures.load(given, [tmp_path / "another.npz", data], examples)
    assert [name for name, _ in images.augmentations] == ["originals", "flip"]
    hardest = {image["index"] for image in given["hardest"]["images"]}
    assert set(images.garments) == hardest
    html = render(given, images=images)
    assert html.count('class="garment"') == 4 + len(hardest)
    document = html5lib.parse(html, namespaceHTMLElements=False)
    assert all(image.get("alt") for image in document.iter("img"))


def test_every_figure_and_table_has_a_caption_for_snakemake():
    job = type("Job", (), {"config": CONFIG})
    captions = sorted((page.TEMPLATES / "captions").glob("*.rst"))
    assert set(catalogue.NAMES) < {path.stem for path in captions}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True)
    for path in (*captions, page.TEMPLATES / "workflow.rst"):
        text = environment.from_string(path.read_text(encoding="utf-8")).render(snakemake=job)
        parts = publish_parts(text, writer="html", settings_overrides={"report_level": 1, "halt_level": 2})
        assert len(parts["body"]) > 80, path.name


def test_snakemakes_own_report_reads_no_markup_of_the_config(tmp_path):
    """Docutils would run it: a script in the page, a file of this machine."""
    secret = tmp_path / "secret"
    secret.write_text("of this machine")
    hostile_words = f"T\n\n.. raw:: html\n\n   <script>x</script>\n\n.. include:: {secret}\n\n`a <javascript:x>`_ ``"
    config = CONFIG | {"title": hostile_words, "preset": hostile_words, "run": [hostile_words], "evidence": False}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 - as Snakemake does
    source = (page.TEMPLATES / "workflow.rst").read_text(encoding="utf-8")
    text = environment.from_string(source).render(snakemake=type("Job", (), {"config": config}))
    shown = publish_parts(text, writer="html", settings_overrides={"report_level": 1, "halt_level": 2})["body"]
    assert "<script" not in shown
    assert "of this machine" not in shown
    assert "javascript:x&gt;" in shown, "it is shown, as text"
    assert 'href="javascript' not in shown


def test_what_keeps_a_claim_open_and_what_would_end_it_is_said_at_the_claim_and_in_what_is_missing():
    given = analysis(n=4)
    open_claims = [claim for claim in given["claims"] if claim["ending"]]
    document = html5lib.parse(render(given), namespaceHTMLElements=False)
    assert {claim["verdict"] for claim in open_claims} == {"inconclusive"}
    missing = " ".join("".join(document.find(".//section[@id='missing']").itertext()).split())
    for claim in open_claims:
        told = " ".join("".join(document.find(f".//li[@id='claim-{claim['id']}']").itertext()).split())
        assert f"Open, {claim['ending']['kind']}." in told
        assert claim["ending"]["command"] in told
        assert claim["ending"]["command"] in missing


def test_every_other_rule_is_shown_with_what_it_says_its_source_and_cited():
    given = analysis(n=4)
    rivals = given["rival_rules"]
    document = html5lib.parse(render(given), namespaceHTMLElements=False)
    ours, *rows = document.findall(".//section[@id='rules']//tbody/tr")
    own, *said = (
        [cell.findtext("span[@class='hidden']", "") for cell in row.findall("td")[:-1]] for row in (ours, *rows)
    )
    assert own == [claim["ours"] for claim in rivals["claims"]]
    cited = " ".join(one["text"] for one in REFERENCES)
    for i, (rule, row, words) in enumerate(zip(rivals["rules"], rows, said, strict=True)):
        assert "".join(row.find("th").itertext()) == rule["name"] + rule["source"]
        assert rule["source"].split()[-1] in cited
        assert rule["source"].split()[0].strip(",") in cited
        assert words == [claim["says"][i] for claim in rivals["claims"]]
        decided = [pair for pair in zip(own, words, strict=True) if set(pair) <= {"reproduced", "not reproduced"}]
        assert row.findall("td")[-1].text == f"{sum(one != other for one, other in decided)} of {len(decided)}"


@pytest.mark.slow
def test_the_page_of_the_whole_study_is_small_and_quick(quick_drawings, tmp_path):
    """Every experiment of the config at ten seeds, drawn in full: at most 6 MB, and 30 s of processor time."""
    quick_drawings.undo()
    study = synthetic.study(run=synthetic.config()["experiments"], seeds=10)
    run_folders.write_runs(study, tmp_path, 1, images=500)
    collected = collection.collect(study, tmp_path, strict=True, labels=run_folders.known(study, 500))
    given = json.loads(
        json.dumps(
            analysis_of.analyse(
                Facts(
                    study=study,
                    original=synthetic.original(),
                    runs=RunTable(synthetic.runs(study, synthetic.published(synthetic.original()), 7)),
                    histories=collected.histories,
                    predictions=collected.predictions,
                )
            )
        )
    )
    started = time.process_time()
    html = page.render(given, pictures.Pictures(), study.config)
    assert time.process_time() - started < 30
    assert len(html.encode()) < 6 * 2**20
    html5lib.HTMLParser(strict=True).parse(html)
    told = text_of(html).replace(QUOTED_NONE, "")
    assert not re.search(r"\b(nan|None|inf)\b", told)
    ids = re.findall(r'\sid="([^"]*)"', html)
    assert len(ids) == len(set(ids))


def test_the_commands_of_a_page_are_about_its_own_study():
    given = analysis(n=2)
    given["provenance"]["published_runs"] = 3
    given["claims"][0]["ending"] = {
        "kind": "not run here",
        "words": "x",
        "seeds": None,
        "chance": None,
        "core_hours": None,
        "experiment": "more",
        "command": "snakemake --config 'run=[original, more]'",
    }
    plain, other = render(given), page.render(given, pictures.Pictures(), CONFIG, overlays=" --configfile a.yaml")
    assert "make restore report" in text_of(plain)
    told = ".venv/bin/snakemake --config 'run=[original, more]'"
    assert text_of(other).count(f"{told} --configfile a.yaml") == text_of(other).count(told) == 2, "claim and table"
    assert "make restore report" not in text_of(other)
    for command in (
        "snakemake restore",
        "snakemake report_partial",
        "snakemake --cores 4 --resources gpu=1",
        "snakemake verify",
    ):
        assert f".venv/bin/{command}\n" in plain or f".venv/bin/{command}</pre>" in plain, command
        assert f".venv/bin/{command} --configfile a.yaml" in other, command
    given["provenance"]["published_runs"] = 0
    unpublished = text_of(render(given))
    assert "restore" not in unpublished.replace("after `make restore`", "")
    assert "snakemake verify" not in unpublished
