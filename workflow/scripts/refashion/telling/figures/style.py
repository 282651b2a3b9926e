"""One look for all figures, and the way from matplotlib to SVG.

The SVG files on disk hold plain colours, so that any program shows them. Inside the report `inline` turns each colour
of the palette into the style sheet's variable of the same meaning: the figure then follows light, dark and print. Text
stays text (small files, searchable); every id gets the figure's name as prefix, because a whole HTML page shares ids.

Matplotlib is imported inside functions: the Snakefile imports this package's names in every job.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

os.environ["MPLBACKEND"] = "agg"  # a notebook's leaves its own in the environment, and importing matplotlib then fails

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colour on paper -> variable of the style sheet. Series: the hues of Okabe & Ito (2008, Color Universal Design), which
#: colour-blind readers tell apart, darkened until text in them has a contrast of 4.5 to 1.
PALETTE = {
    "#1c1a17": "--ink",
    "#5e5a52": "--muted",
    "#dcd7cc": "--rule",
    "#ebe7de": "--hair",
    "#fdfcf9": "--paper",
    "#0a6480": "--reproduced",
    "#ad3709": "--not",
    "#755c00": "--inconclusive",
    "#625e56": "--untestable",
    "#0068a6": "--blue",
    "#c25200": "--orange",
    "#00805c": "--green",
    "#96477f": "--purple",
    "#806400": "--ochre",
    "#4b4a9e": "--indigo",
}
_COLOUR = {variable.removeprefix("--"): colour for colour, variable in PALETTE.items()}
INK, MUTED, RULE, HAIR, PAPER = (_COLOUR[name] for name in ("ink", "muted", "rule", "hair", "paper"))
BLUE, ORANGE = _COLOUR["blue"], _COLOUR["orange"]
SERIES = tuple(_COLOUR[name] for name in ("blue", "orange", "green", "purple", "ochre", "indigo"))
MARKERS = ("o", "s", "D", "^", "v", "P")
VERDICT_COLOURS = {
    "reproduced": _COLOUR["reproduced"],
    "not reproduced": _COLOUR["not"],
    "inconclusive": _COLOUR["inconclusive"],
    "not testable": _COLOUR["untestable"],
}

#: Inches. The report shows WIDE at 56 rem, so 9.5 pt here is about 13 px there; NARROW is a phone's 343 px.
WIDE, NARROW = 9.0, 3.7

_STYLE: dict[Any, object] = {
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": INK,
    "text.parse_math": False,  # a `$` in a name is a dollar, not TeX
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": HAIR,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "lines.solid_capstyle": "butt",
    "svg.fonttype": "none",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": PAPER,  # a file may be shown on any ground; `inline` takes this sheet away
}


@contextmanager
def style() -> Iterator[None]:
    """The look of the study, for the figures drawn inside, whatever the user's own matplotlibrc says."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1, **options) -> tuple[Figure, list[Axes]]:
    """A figure of so many inches with a grid of axes, row by row. `options` go to `Figure.subplots`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, list(axes.flat)


#: Begins the group id of a mark that `tell` gave words; no other id does.
_TOLD = "told: "


def tell(artist: Artist, words: str) -> None:
    """Words that a viewer shows while the pointer is on a mark, as SVG's `title`."""
    artist.set_gid(_TOLD + words)


def to_svg(figure: Figure, name: str) -> str:
    """The figure as a stand-alone SVG file: the same input gives the same bytes. What `tell` said becomes titles."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": name}):
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": "refashion"})
    return _MARK.sub(r"\1><title>\2</title>", stream.getvalue())


_MARK = re.compile(rf'(<g) id="{_TOLD}([^"]*)"')


def write_pictures(figure: Figure, path: Path) -> None:
    """The figure as `path`.pdf and `path`.png (200 dots an inch), for papers and slides."""
    figure.savefig(f"{path}.pdf", metadata={"CreationDate": None, "Creator": "refashion", "Producer": None})
    figure.savefig(f"{path}.png", dpi=200, metadata={"Software": None})


_SVG = "http://www.w3.org/2000/svg"
_LINKS = ("{http://www.w3.org/1999/xlink}href", "href")
#: How a link of a figure to a claim's line begins; in a file by itself it leads nowhere, so only the page keeps it.
CLAIM = "#claim-"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FAMILY = re.compile(r"font-family:[^;]*;?\s*")
_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
_GEOMETRY = ("d", "x", "y", "transform", "width", "height", "points")


def inline(svg: str, alternative: str) -> str:
    """A stand-alone SVG made part of a page: colours as variables, sized by its box, named for readers.

    Only ids that something points to are kept. They are hashes salted by the figure's name (see `to_svg`), so that two
    figures share none. `alternative` is plain text (escaped here) that says what the figure shows to who cannot see it.
    """
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own drawing, no entity can be in it
    _drop(root, lambda child: child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style") or child.get("id") == "patch_1")
    used = _referenced(root)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        attributes = dict(element.attrib)
        element.attrib.clear()
        for key, value in attributes.items():
            if key != "id" or value in used:
                element.set(key.rpartition("}")[2], _part_of_page(key, value))
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    # An image has no parts for who cannot see it; one with links in it is a group of them.
    root.set("role", "group" if root.find(".//a") is not None else "img")
    root.set("aria-label", alternative)
    return ElementTree.tostring(root, encoding="unicode")


def _drop(root: ElementTree.Element, unwanted: Callable[[ElementTree.Element], bool]) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if unwanted(child):
                parent.remove(child)


def _referenced(root: ElementTree.Element) -> set[str]:
    """The ids that something in the drawing points to; the others only cost bytes."""
    used: set[str] = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            used.update([value.removeprefix("#")] if key in _LINKS else _REFERENCE.findall(value))
    return used


def _part_of_page(key: str, value: str) -> str:
    """One attribute's value with the page's font and colours, and hundredths of a point at most."""
    if key in _GEOMETRY:
        return _LONG_NUMBER.sub(lambda found: f"{float(found.group()):.2f}", " ".join(value.split()))
    if key == "style":
        value = _FAMILY.sub("", value)
        for colour, variable in PALETTE.items():
            value = value.replace(colour, f"var({variable})")
    return value
