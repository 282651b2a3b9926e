"""Headless Chromium with axe-core, and the pages it looks at. What a machine lacks skips the tests, saying so."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml

from analysis_fixture import analysis, hostile, with_holes
from project import PROJECT
from refashion.telling import page, pictures

HERE = Path(__file__).parent
ARTEFACTS = HERE / "artefacts"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STUDIES = {
    "whole": lambda: analysis(n=10),
    "one-run": lambda: analysis(n=1),
    "holes": with_holes,
    "hostile": lambda: hostile(analysis(n=3)),
}


@pytest.fixture(params=STUDIES)
def study(request) -> str:
    """The name of each study in turn."""
    return request.param


def config() -> dict:
    full = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))
    full["experiments"]["original"]["note"] = "x" * 300
    return full | {"title": "A study"}


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> tuple[list[Path], Path]:
    """Stand-ins for the prepared data and the examples of augmentation."""
    folder = tmp_path_factory.mktemp("images")
    garment = np.zeros((28, 28), np.uint8)
    garment[4:24, 8:20] = 180
    np.savez(folder / "fashion_mnist.npz", test_images=np.repeat(garment[None], 20, axis=0))
    rows = {name: np.repeat(garment[None] / 255, 10, axis=0) for name in ("originals", "affine", "horizontal_flip")}
    np.savez(folder / "examples.npz", **rows)
    return [folder / "fashion_mnist.npz"], folder / "examples.npz"


@pytest.fixture(scope="session")
def rendered(tmp_path_factory, images):
    """A function from the name of a study to its page, rendered once."""
    folder = tmp_path_factory.mktemp("pages")

    def render(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            given = STUDIES[name]()
            html = page.render(given, pictures.load(given, *images), config(), partial=name == "holes")
            path.write_text(html, encoding="utf-8")
        return path

    return render


@pytest.fixture(scope="session")
def chromium():
    """A running headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("there is no Chromium; on Debian: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, installed from tests/browser/package-lock.json."""
    source = HERE / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("there is no npm to install axe-core with; on Debian: apt-get install npm")
        done = subprocess.run([npm, "ci", "--silent"], cwd=HERE, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"npm could not install axe-core: {done.stderr.strip()[-200:]}")
    return source.read_text(encoding="utf-8")


@pytest.fixture
def visit(chromium, rendered):
    """A function that opens a study's page and fails at the end if the page complained or asked for anything."""
    opened = []
    complaints = []

    def visit(name: str, width: int = 1440, height: int = 900, scheme: str = "light", **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        context.set_default_timeout(120_000)
        opened.append(context)
        page = context.new_page()
        address = rendered(name).as_uri()
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                complaints.append(f"request: {request.url[:80]}")
                if request.url.partition("#")[0] != address and not request.url.startswith("data:")
                else None
            ),
        )
        page.goto(address)
        return page

    yield visit
    for context in opened:
        context.close()
    assert not complaints


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots and PDFs are kept for people to look at."""
    ARTEFACTS.mkdir(exist_ok=True)
    return ARTEFACTS
