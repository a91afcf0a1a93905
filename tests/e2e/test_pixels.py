"""Pages look as they did when their looks were last agreed upon, where the same browser takes the pictures."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.references import SCENES, VERSION, Scene, photographed_app, picture
from tests.fakes.server import RunningServer

SHARE_ALLOWED = 0.005
"""Of the pixels: what a blinking line or the rounding of a curve may take."""
SHADES_ALLOWED = 24
"""Of 255, in any of the three colours."""

COMPARE = """async ([before, after, shades]) => {
    const read = async (data) => {
        const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob())
        const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d")
        canvas.drawImage(image, 0, 0)
        return canvas.getImageData(0, 0, image.width, image.height)
    }
    const [a, b] = [await read(before), await read(after)]
    if (a.width !== b.width || a.height !== b.height) return 1
    let differ = 0
    for (let i = 0; i < a.data.length; i += 4)
        differ += [0, 1, 2].some(colour => Math.abs(a.data[i + colour] - b.data[i + colour]) > shades)
    return differ / (a.data.length / 4)
}"""


@pytest.fixture(scope="module")
def app(browser: Browser) -> Iterator[RunningServer]:
    if not VERSION.exists():
        pytest.skip("There are no references; python tests/e2e/references.py makes them.")
    made_by = json.loads(VERSION.read_text(encoding="utf-8"))["chromium"]
    if made_by != browser.version:
        pytest.skip(f"The references are of Chromium {made_by}, and this is {browser.version}.")
    with photographed_app() as app:
        yield app


@pytest.fixture(scope="module")
def canvas(browser: Browser) -> Iterator[Page]:
    """A page on which pictures are compared."""
    page = browser.new_page()
    yield page
    page.close()


def difference(canvas: Page, before: bytes, after: bytes) -> float:
    """The share of the pixels that differ, 0–1; 1 for pictures of different sizes."""
    pictures = [base64.b64encode(data).decode("ascii") for data in (before, after)]
    return float(canvas.evaluate(COMPARE, [*pictures, SHADES_ALLOWED]))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.file.stem)
def test_page_looks_as_it_did(browser: Browser, app: RunningServer, canvas: Page, scene: Scene) -> None:
    share = difference(canvas, scene.file.read_bytes(), picture(browser, app, scene))
    assert share <= SHARE_ALLOWED, (
        f"{share:.2%} of the pixels differ; look, and make the references anew if it is meant"
    )


def test_a_difference_is_seen(canvas: Page) -> None:
    canvas.set_content("<body style='margin:0; background:white'>")
    white = canvas.screenshot()
    assert difference(canvas, white, white) == 0
    canvas.set_content("<body style='margin:0; background:white'><div style='height:10vh; background:black'>")
    assert 0.09 < difference(canvas, white, canvas.screenshot()) < 0.11
