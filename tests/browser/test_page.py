"""The report in a browser: silent, self-contained, accessible, readable on a phone and on paper, usable by keyboard."""

import pytest

from conftest import STUDIES

pytestmark = pytest.mark.slow

THEMES = ("light", "dark")
PHONE = 375
#: A4 less the style sheet's margins (2 x 14 mm), in CSS pixels of 1/96 inch.
PAPER = round((210 - 28) / 25.4 * 96)

OPEN_ALL = "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize("study", STUDIES)
def test_axe_finds_no_violation(study, scheme, visit, axe):
    page = visit(study, scheme=scheme)
    page.evaluate(OPEN_ALL)
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    told = [f"{one['id']}: {one['nodes'][0]['html'][:160]} ({len(one['nodes'])})" for one in found]
    assert not told


@pytest.mark.parametrize("scheme", THEMES)
def test_axe_finds_no_violation_on_a_phone(scheme, visit, axe):
    page = visit("whole", width=PHONE, height=812, scheme=scheme)
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert not [f"{one['id']}: {one['nodes'][0]['html'][:160]} ({len(one['nodes'])})" for one in found]


@pytest.mark.parametrize("folds", ["closed", "open"])
@pytest.mark.parametrize("study", STUDIES)
def test_a_phone_never_scrolls_sideways(study, folds, visit):
    page = visit(study, width=PHONE, height=812)
    if folds == "open":
        page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    page.evaluate("window.scrollTo(500, 0)")
    assert page.evaluate("window.scrollX") == 0


@pytest.mark.parametrize("study", STUDIES)
def test_paper_cuts_no_table_and_no_figure(study, visit, artefacts):
    page = visit(study, width=PAPER, height=1000)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    wide = page.evaluate(
        """(paper) => [...document.querySelectorAll('table, svg, pre, .reel, h1, p, dd')]
            .filter((box) => box.getBoundingClientRect().right > paper + 1)
            .map((box) => `${box.tagName} ${box.textContent.trim().slice(0, 60)}`)""",
        PAPER,
    )
    assert not wide
    assert page.evaluate("getComputedStyle(document.querySelector('.contents')).display") == "none"
    page.emulate_media(media=None)
    pdf = page.pdf(path=artefacts / f"{study}.pdf", prefer_css_page_size=True, format="A4")
    assert pdf.startswith(b"%PDF")


@pytest.mark.parametrize("study", STUDIES)
def test_no_figure_is_empty(study, visit):
    page = visit(study)
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('figure')].map((figure) => {
            const all = [...figure.querySelectorAll('.plot svg')];
            const shown = all.filter((svg) => svg.getBoundingClientRect().width > 0);
            return {marks: shown.length ? shown[0].querySelectorAll('path, use').length : 0, shown: shown.length,
                    height: shown.length ? shown[0].getBoundingClientRect().height : 0,
                    caption: figure.querySelector('figcaption').textContent.trim().length}; })"""
    )
    assert boxes
    for box in boxes:
        assert box["shown"] == 1
        assert box["marks"] > 5
        assert box["height"] > 40
        assert box["caption"] > 40


def test_hostile_words_do_not_script_the_page(visit):
    page = visit("hostile")
    assert page.title() != "scripted"
    assert page.evaluate("document.scripts.length") == 1
    assert page.locator("[onerror]").count() == 0


def test_claims_can_be_filtered_by_verdict_and_words(visit):
    page = visit("whole")
    shown = page.locator(".claim:not([hidden])")
    everything = shown.count()
    page.get_by_role("button", name="not reproduced").click()
    assert 0 < shown.count() < everything
    assert set(shown.evaluate_all("all => all.map((one) => one.dataset.verdict)")) == {"not reproduced"}
    assert f"{shown.count()} of {everything}" in page.locator("#claims-shown").text_content()
    page.get_by_role("button", name="all", exact=True).click()
    page.get_by_role("searchbox").fill("LeNet")
    assert 0 < shown.count() < everything
    page.evaluate("location.hash = '#claim-D1'")
    page.wait_for_timeout(200)
    assert shown.count() == everything, "a link to a claim that the filter hides shows it again"


def test_a_table_sorts_both_ways_by_number(visit):
    page = visit("whole")
    table = page.locator("#cost table").first
    heading = table.get_by_role("button", name="Cell")
    heading.click()
    first = table.locator("tbody th").all_text_contents()
    assert first == sorted(first, key=str.lower)
    heading.click()
    assert table.locator("tbody th").all_text_contents() == first[::-1]
    assert table.locator("th[aria-sort=descending]").count() == 1
    readings = page.locator("#readings table").first
    readings.get_by_role("button", name="Published").click()
    numbers = [text for text in readings.locator("tbody td:nth-child(3)").all_text_contents() if text.endswith("%")]
    values = [float(text.rstrip("%")) for text in numbers]
    assert values == sorted(values)


def test_the_theme_can_be_chosen_and_is_kept(visit):
    page = visit("whole", scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate(paper)
    assert dark != light
    page.reload()
    assert page.evaluate(paper) == dark


def test_the_keyboard_reaches_everything(visit):
    page = visit("whole", width=PHONE, height=812)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#table"
    button = page.get_by_role("button", name="inconclusive")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="all", exact=True).press("Space")
    fold = page.locator("#claim-V1 summary")
    fold.focus()
    page.keyboard.press("Enter")
    assert page.locator("#claim-V1 details").get_attribute("open") is not None
    unreachable = page.evaluate(
        """() => [...document.querySelectorAll('.table, .plot, pre')]
            .filter((box) => box.scrollWidth > box.clientWidth + 1 && box.tabIndex !== 0).length"""
    )
    assert unreachable == 0


def test_everything_is_there_without_script(visit):
    page = visit("whole", java_script_enabled=False)
    assert page.locator(".claim:visible").count() == page.locator(".claim").count() > 30
    assert page.locator(".filter:visible, .toggle:visible").count() == 0
    assert page.locator(".plot svg:visible").count() >= 14
    assert page.locator("nav a:visible").count() >= 19


def test_data_of_a_figure_can_be_saved(visit):
    page = visit("whole")
    with page.expect_download() as download:
        page.locator("a[download='verdict_forest.csv']").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert text.startswith("claim,")
    assert len(text.splitlines()) == 7


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize(("device", "width", "height"), [("desktop", 1440, 900), ("phone", PHONE, 812)])
def test_pictures_for_people(device, width, height, scheme, visit, artefacts):
    page = visit("whole", width=width, height=height, scheme=scheme)
    path = artefacts / f"first-screen-{device}-{scheme}.png"
    page.screenshot(path=path)
    assert path.stat().st_size > 20_000
    for name in ("verdict_forest", "learning_curves", "confusion"):
        figure = page.locator(f"#fig-{name} + figure")
        figure.scroll_into_view_if_needed()
        figure.screenshot(path=artefacts / f"{name}-{device}-{scheme}.png")
