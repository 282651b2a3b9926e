"""The report in a browser: silent, self-contained, accessible, readable on a phone and on paper, usable by keyboard."""

import re

import pytest

pytestmark = pytest.mark.slow

THEMES = ("light", "dark")
PHONE = 375
#: A4 less the style sheet's margins (2 x 14 mm), in CSS pixels of 1/96 inch.
PAPER = round((210 - 28) / 25.4 * 96)

OPEN_ALL = "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize(("width", "folds"), [(1440, "open"), (PHONE, "closed")])
def test_axe_finds_no_violation(study, width, folds, scheme, visit, axe):
    page = visit(study, width=width, scheme=scheme)
    if folds == "open":
        page.evaluate(OPEN_ALL)
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    told = [f"{one['id']}: {one['nodes'][0]['html'][:160]} ({len(one['nodes'])})" for one in found]
    assert not told


@pytest.mark.parametrize("folds", ["closed", "open"])
def test_a_phone_never_scrolls_sideways(study, folds, visit):
    page = visit(study, width=PHONE, height=812)
    if folds == "open":
        page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    page.evaluate("window.scrollTo(500, 0)")
    assert page.evaluate("window.scrollX") == 0


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
    assert page.locator("#claim-D1 details").get_attribute("open") is not None


def test_a_view_can_be_passed_on_by_its_address(visit):
    page = visit("whole")
    page.locator(".tally a[data-show='not reproduced']").click()
    shown = page.locator(".claim:not([hidden])")
    assert set(shown.evaluate_all("all => all.map((one) => one.dataset.verdict)")) == {"not reproduced"}
    page.get_by_role("searchbox").fill("column")
    wanted, address = shown.count(), page.evaluate("location.hash")
    assert address == "#show=not%20reproduced&words=column"
    other = visit("whole")
    other.evaluate("(hash) => { location.hash = hash; }", address)
    other.wait_for_timeout(200)
    assert other.locator(".claim:not([hidden])").count() == wanted > 0
    page.get_by_role("button", name="all", exact=True).click()
    page.get_by_role("searchbox").fill("")
    page.locator("#claim-V2 summary").click()
    assert page.evaluate("location.hash") == "#claim-V2"


def test_an_address_that_is_no_anchor_stops_nothing(visit):
    page = visit("whole")
    page.evaluate("location.hash = '#%'")
    page.wait_for_timeout(200)  # the fixture fails if the script did
    page.get_by_role("button", name="not reproduced").click()
    assert "claims shown" in page.locator("#claims-shown").text_content()


def test_one_seed_at_a_time(visit):
    page = visit("whole")
    before = page.locator("#seed-told").text_content()
    page.locator("#seed").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#seed-told").text_content() != before
    assert page.locator(".papers tr.chosen").get_attribute("data-told") == page.locator("#seed-told").text_content()
    plain = visit("whole", java_script_enabled=False)
    assert plain.locator(".papers tbody tr:visible").count() == 10
    assert not plain.locator("#seed").is_visible()


#: What a reader sees, or the attribute in its place, of each row's cell in the column; one cell may span several.
COLUMN = """(table, column) => [...table.tBodies[0].rows].map((row) => {
    let end = 0;
    for (const cell of row.cells) {
        end += cell.colSpan;
        if (end > column) return cell.dataset.sort ?? cell.textContent.trim();
    }
    return "";
})"""


def sorts_as(text: str, numeric: bool) -> tuple[int, float | str]:
    """Where a cell belongs: numbers (a bound beside the number that it bounds), then words, what is missing last."""
    text = text.replace("\u2212", "-").replace(",", "")
    if text in ("", "\u2013"):
        return 2, ""
    bound = re.match(r"(<|>|fewer than|more than)?\s*([+-]?[\d.]+(?:e-\d+)?)", text) if numeric else None
    if not bound:
        return 1, text.lower()
    return 0, float(bound[2]) + {None: 0, "<": -1e-12, "fewer than": -1e-12}.get(bound[1], 1e-12)


@pytest.mark.parametrize("study", ["holes", "whole"])
def test_every_heading_sorts_both_ways_with_what_is_missing_last(study, visit):
    page = visit(study)  # which fails at the end if a click threw an error
    page.evaluate(OPEN_ALL)
    clicked = 0
    for table in page.locator("table.sortable").all():
        for column, heading in enumerate(table.locator("thead th").all()):
            numeric = "n" in (heading.get_attribute("class") or "").split()
            before = sorted(table.evaluate(COLUMN, column))
            for order in ("ascending", "descending"):
                heading.get_by_role("button").click()
                assert heading.get_attribute("aria-sort") == order
                assert table.locator("th[aria-sort]").count() == 1
                shown = table.evaluate(COLUMN, column)
                assert sorted(shown) == before, "no row is lost"
                kinds = [sorts_as(text, numeric) for text in shown]
                assert [kind for kind, _ in kinds] == sorted(kind for kind, _ in kinds)
                for kind in (0, 1):
                    values = [value for found, value in kinds if found == kind]
                    if kind == 1 and not all(value.isascii() and value.isalnum() for value in values):
                        continue  # the browser knows the alphabet better than Python
                    assert values == sorted(values, reverse=order == "descending")
                clicked += 1
    assert clicked > 20


def test_bounds_and_spans_are_sorted_where_they_belong(visit):
    page = visit("holes")
    page.evaluate(OPEN_ALL)

    def sort_by(table, name: str) -> list[str]:
        names = [text.strip() for text in table.locator("thead th").all_text_contents()]
        table.locator("thead th").nth(names.index(name)).get_by_role("button").click()
        return [text.replace("\u00a0", " ") for text in table.evaluate(SHOWN, names.index(name))]

    pairs = page.locator("#comparisons table.sortable").first
    up, down = sort_by(pairs, "p"), sort_by(pairs, "p")
    known = [text for text in up if text != "\u2013"]
    assert len(known) < len(up), "some pairs have no test"
    assert up[0] == "< 0.001"
    assert up[len(known) :] == down[len(known) :] == ["\u2013"] * (len(up) - len(known))
    assert down[: len(known)] == known[::-1]
    costs = page.locator("#cost table").first
    for down in (False, True):
        told = sort_by(costs, "Core-hours left")
        known = [text for text in told if text not in SPANNED]
        assert {"0.20", "12"} <= set(known)
        assert told[: len(known)] == sorted(known, key=float, reverse=down), "what is missing is last"
        assert SPANNED[0] in told


#: As COLUMN, but always what a reader sees.
SHOWN = COLUMN.replace("cell.dataset.sort ?? ", "")
SPANNED = ["the runs of 1 Layer CNN, 1 fold", "\u2013"]


def test_a_phone_leads_back_to_the_contents(visit):
    page = visit("whole", width=PHONE, height=812)
    page.evaluate("document.querySelector('#methods').scrollIntoView({behavior: 'instant'})")
    back = page.get_by_role("link", name="Contents", exact=True)
    assert back.is_visible()
    back.click()
    for _ in range(50):  # the page scrolls smoothly, and its policy allows no script of a test to wait inside it
        page.wait_for_timeout(100)
        if abs(page.evaluate("document.querySelector('#contents').getBoundingClientRect().top")) < 100:
            break
    else:
        pytest.fail("the contents do not come into view")
    wide = visit("whole")
    assert not wide.locator(".back").is_visible(), "there the contents themselves stay in view"


def test_a_phone_shows_no_small_letters(visit):
    page = visit("whole", width=390, height=844)
    page.evaluate(OPEN_ALL)
    small = page.evaluate(
        """() => [...document.querySelectorAll('.plot svg')].filter((svg) => svg.getBoundingClientRect().width)
            .map((svg) => {
                const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
                const texts = [...svg.querySelectorAll('text')];
                const sizes = texts.map((one) => parseFloat(getComputedStyle(one).fontSize));
                return [svg.closest('figure').previousElementSibling.id, scale * Math.min(...sizes)];
            }).filter(([_, size]) => size < 9)"""
    )
    assert not small


def test_links_to_data_say_which_figure(visit):
    page = visit("whole")
    names = page.locator("a.data").all_text_contents()
    assert len(names) > 10
    assert len(set(names)) == len(names)


def test_paper_has_no_dead_folds_and_no_broken_words_in_heads(visit):
    page = visit("whole", width=PAPER, height=1000)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("main details.print").count() == page.locator("main details.print[open]:visible").count() > 0
    assert page.locator("details:not([open]):visible").count() == 0
    broken = page.evaluate(
        """() => [...document.querySelectorAll('thead th')].filter((head) => {
            const range = document.createRange();
            const walk = document.createTreeWalker(head, NodeFilter.SHOW_TEXT);
            for (let node = walk.nextNode(); node; node = walk.nextNode()) {
                for (const word of node.data.matchAll(/[\\p{L}\\d]+/gu)) {
                    range.setStart(node, word.index);
                    range.setEnd(node, word.index + word[0].length);
                    if (range.getClientRects().length > 1) return true;
                }
            }
            return false;
        }).map((head) => head.textContent)"""
    )
    assert not broken


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
    # A fold opens without a script, too.
    for fold in ("pairs of columns", "Seeds that each cell needs", "How hard each image is", "times as fast as"):
        page.locator("summary", has_text=fold).click()
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
