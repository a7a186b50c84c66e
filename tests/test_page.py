"""The page in a real browser: Chromium, driven by Playwright. Every control, and the same results as Python's."""

import base64
import io
import os
import shutil

import numpy as np
import pytest
from PIL import Image

import lloydq
from lloydq import walk
from lloydq.colors import DistinctColors

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("Chromium is not installed", allow_module_level=True)
FLAGS = [
    "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def picture():
    """Few pixels of many colours, and a graphic's few."""
    rng = np.random.default_rng(7)
    picture = rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)
    picture[:, :20] = (200, 30, 30)
    return picture


@pytest.fixture(scope="module")
def pages(tmp_path_factory, picture):
    """The files of three pages, and of the picture."""
    folder, rng = tmp_path_factory.mktemp("pages"), np.random.default_rng(3)
    X = np.concatenate([rng.normal(m, 0.6, (40, 2)) for m in ((0, 0), (4, 1), (1, 5))])
    found = {"picture": walk.page(picture, 5, rng=1), "points": walk.page(X, 4, rng=2)}
    for name, page in found.items():
        page.save(folder / f"{name}.html")
    Image.fromarray(picture).save(folder / "own.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder, found


@pytest.fixture
def open_page(browser, pages):
    """A function that opens a page; afterwards: nothing on the console, and no request to anywhere."""
    folder, _ = pages
    contexts, noise, requests = [], [], []

    def opened(name="picture", fragment="", size=(1280, 800), **options):
        width, height = size
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((folder / f"{name}.html").as_uri() + fragment)
        page.wait_for_function("() => document.getElementById('sentence').textContent")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not noise
    assert all(url.split(":")[0] in ("file", "data", "blob") for url in requests)


def position(page):
    return page.evaluate("position")


def sentence(page):
    return page.locator("#sentence").inner_text()


def press(page, name):
    page.locator(f"#{name}").click()


def test_forwards_and_backwards(open_page, pages):
    page, kept = open_page(), pages[1]["picture"].walk
    assert sentence(page) == "Start: 5 first centroids; no pixel has a label yet."
    press(page, "assign")
    assert sentence(page).startswith("Assign, iteration 1: 2,400 of 2,400 pixels changed centroid; inertia ")
    press(page, "update")
    assert sentence(page).startswith("Update, iteration 1: ")
    assert position(page) == 2
    press(page, "assign")
    press(page, "back")
    press(page, "back")
    assert position(page) == 1
    press(page, "last")
    assert position(page) == kept.last
    assert sentence(page).endswith("Nothing changed: converged.")
    press(page, "first")
    assert position(page) == 0


def test_what_cannot_be_done_says_so_and_does_nothing(open_page):
    page = open_page()

    def disabled(name):
        return page.locator(f"#{name}").get_attribute("aria-disabled")

    assert [disabled(name) for name in ("first", "back", "assign", "update", "last")] == [
        "true", "true", "false", "true", "false",
    ]  # fmt: skip
    page.locator("#update").click(force=True)
    page.locator("#back").click(force=True)
    assert position(page) == 0
    press(page, "last")
    assert [disabled(name) for name in ("assign", "update", "last", "back")] == ["true", "true", "true", "false"]


def test_playing_pausing_and_speed(open_page, pages):
    page = open_page()
    page.locator("#speed").select_option("15")
    press(page, "play")
    assert page.locator("#play").inner_text() == "Pause"
    assert page.locator("#sentence").get_attribute("aria-live") == "off"
    page.wait_for_function("() => position >= 3")
    press(page, "play")
    stood = position(page)
    page.wait_for_timeout(300)
    assert position(page) == stood
    press(page, "play")
    page.wait_for_function(f"() => position === {pages[1]['picture'].walk.last}")
    assert page.locator("#play").inner_text() == "Play"
    assert page.locator("#sentence").get_attribute("aria-live") == "polite"


def test_slider_and_address(open_page):
    page = open_page()
    page.locator("#position").fill("5")
    assert position(page) == 5
    assert page.url.endswith("#step=5")
    assert page.locator("#link").get_attribute("href") == "#step=5"
    again = open_page(fragment="#step=5")
    assert sentence(again) == sentence(page)
    assert position(open_page(fragment="#step=99999")) > 5
    assert position(open_page(fragment="#elsewhere")) == 0


def test_by_keyboard_alone(open_page, pages):
    page, kept = open_page(), pages[1]["picture"].walk
    for key, expected in (
        ("a", 1),
        ("a", 1),
        ("u", 2),
        ("ArrowRight", 3),
        ("ArrowRight", 4),
        ("ArrowLeft", 3),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        assert position(page) == expected, key
    page.keyboard.press("End")
    assert position(page) == kept.last
    page.keyboard.press("b")
    assert page.locator("#before").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_function("() => position >= 1")
    page.keyboard.press(" ")
    reached = set()
    page.keyboard.press("Home")
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.dataset.turn || ''"))
    for name in ("before", "space", "-1,0", "file", "k", "init", "seed", "run", "position", "assign", "update", "play"):
        assert name in reached
    page.locator("#assign").focus()
    page.keyboard.press("Enter")
    assert position(page) == 1
    assert page.evaluate("document.activeElement.id") == "assign"


def test_the_picture_is_painted_with_the_palette(open_page, pages, picture):
    page, kept = open_page(), pages[1]["picture"].walk

    def shown():
        data = page.evaluate("at('picture').toDataURL()").removeprefix("data:image/png;base64,")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))

    np.testing.assert_array_equal(shown(), picture)
    for p in (1, 2, kept.last):
        page.locator("#position").fill(str(p))
        labels = lloydq.assign(picture.reshape(-1, 3), kept.labelled_by(p))
        painted = np.rint(kept.centroids(p))[labels].reshape(picture.shape)
        np.testing.assert_array_equal(shown(), painted)
    press(page, "before")
    np.testing.assert_array_equal(shown(), picture)


def test_the_cube_turns_with_mouse_touch_and_keys(open_page):
    page = open_page(has_touch=True)

    def drawn():
        return page.evaluate("at('space').toDataURL()")

    seen = [drawn()]

    def turned():
        seen.append(drawn())
        return seen[-1] != seen[-2]

    page.locator("#space").focus()
    page.keyboard.press("ArrowRight")
    assert turned()
    assert position(page) == 0
    for by in ("-1,0", "0,1"):
        page.locator(f"[data-turn='{by}']").click()
        assert turned()
    box = page.locator("#space").bounding_box()
    page.mouse.move(box["x"] + 80, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 90, steps=4)
    page.mouse.up()
    assert turned()
    page.locator("#space").dispatch_event(
        "pointermove", {"pointerType": "touch", "buttons": 1, "movementX": 30, "movementY": 0}
    )
    assert turned()


def test_points_in_the_plane(open_page, pages):
    page, kept = open_page("points"), pages[1]["points"].walk
    assert not page.locator("#picture-panel").is_visible()
    assert not page.locator("#own-panel").is_visible()
    for p in range(1, kept.last + 1):
        page.locator("#position").fill(str(p))
        labels = page.evaluate("Array.from(labelsAt(position))")
        np.testing.assert_array_equal(labels, lloydq.assign(kept.X, kept.labelled_by(p)))


def in_the_browser(page, pixels, start):
    """Lloyd on these pixels (n, 3) as the page runs it."""
    rgba = np.column_stack([pixels, np.full(len(pixels), 255)]).ravel().tolist()
    return page.evaluate(
        """([rgba, start]) => {
            const tools = lloyd(), points = tools.distinctColours(Uint8ClampedArray.from(rgba));
            return Array.from(tools.steps(points, start), (step) => ({
                ...step, centroids: Array.from(step.centroids), labels: Array.from(step.labels),
                counts: Array.from(step.counts),
            }));
        }""",
        [rgba, np.asarray(start, float).ravel().tolist()],
    )


@pytest.mark.parametrize("k", [1, 4, 16])
def test_the_browser_finds_what_python_finds(open_page, picture, photo, k):
    page = open_page()
    for pixels in (picture.reshape(-1, 3), photo[::5000]):
        distinct = DistinctColors(pixels)
        order = np.lexsort(distinct.colors.T[::-1])
        colors, weight = distinct.colors[order], distinct.weight[order]
        for start in (
            lloydq.random_points(pixels, k, rng=k),
            np.concatenate([colors[:1], np.full((k - 1, 3), 999)]),  # all but one are empty
        ):
            found, expected = in_the_browser(page, pixels, start), list_of(lloydq.steps(colors, start, weight))
            assert len(found) == len(expected)
            for one, (step, labels) in zip(found, expected, strict=True):
                np.testing.assert_array_equal(np.reshape(one["centroids"], (k, 3)), step.centroids)
                np.testing.assert_array_equal(one["labels"], labels)
                np.testing.assert_array_equal(one["counts"], step.sums.weight)
                assert (one["relocated"], one["reason"]) == (step.relocated, step.stop_reason)
                assert one["inertia"] == pytest.approx(step.inertia, rel=1e-9, abs=1e-6)
                assert one["after"] == pytest.approx(step.inertia_after_update, rel=1e-9, abs=1e-6)


def list_of(steps):
    return [(step, step.labels) for step in steps]


@pytest.mark.parametrize("init", ["random", "k-means++"])
def test_a_picture_of_ones_own(open_page, pages, picture, init):
    folder, _ = pages
    page = open_page()
    page.locator("#k").fill("6")
    page.locator("#init").select_option(init)
    page.locator("#seed").fill("11")
    page.locator("#file").set_input_files(folder / "own.png")
    page.wait_for_function("() => at('progress').textContent.startsWith('Ended after')")
    frames = page.evaluate("walk.frames.map((f) => [Array.from(f.centroids), Array.from(f.counts)])")
    start = np.reshape(frames[0][0], (6, 3))
    kept = walk.record(picture, 6, init=start)
    assert len(frames) == len(kept.frames)
    for (centroids, counts), frame in zip(frames, kept.frames, strict=True):
        np.testing.assert_array_equal(np.reshape(centroids, (6, 3)), frame.centroids)
        np.testing.assert_array_equal(counts, frame.counts)
    press(page, "last")
    assert "converged" in sentence(page)
    page.locator("#run").click()  # the same seed again
    page.wait_for_function("() => at('progress').textContent.startsWith('Ended after')")
    assert page.evaluate("Array.from(walk.frames[0].centroids)") == frames[0][0]
    press(page, "recorded")
    assert sentence(page).startswith("Start: 5 first")


def test_first_centroids_that_are_clicked(open_page, pages, picture):
    page = open_page()
    page.locator("#k").fill("2")
    page.locator("#init").select_option("clicked")
    page.locator("#file").set_input_files(pages[0] / "own.png")
    page.wait_for_function("() => clicks !== null")
    assert sentence(page) == "Click in the picture: 2 more."
    page.locator("#position").evaluate("(slider) => { slider.value = 3; slider.dispatchEvent(new Event('input')); }")
    assert position(page) == 0
    page.locator("#picture").scroll_into_view_if_needed()
    box = page.locator("#picture").bounding_box()
    places = [(3, 4), (50, 30)]
    for x, y in places:
        page.mouse.click(box["x"] + (x + 0.5) * box["width"] / 60, box["y"] + (y + 0.5) * box["height"] / 40)
    page.wait_for_function("() => at('progress').textContent.startsWith('Ended after')")
    start = np.reshape(page.evaluate("Array.from(walk.frames[0].centroids)"), (2, 3))
    np.testing.assert_array_equal(start, [picture[y, x] for x, y in places])


def test_first_centroids_chosen_by_keyboard(open_page, pages, picture):
    page = open_page()
    page.locator("#k").fill("2")
    page.locator("#init").select_option("clicked")
    page.locator("#file").set_input_files(pages[0] / "own.png")
    page.wait_for_function("() => clicks !== null && document.activeElement.id === 'picture'")
    for key in ("ArrowLeft", "ArrowUp", "Enter", *["Shift+ArrowRight"] * 9, "Enter"):
        page.keyboard.press(key)
    page.wait_for_function("() => at('progress').textContent.startsWith('Ended after')")
    start = np.reshape(page.evaluate("Array.from(walk.frames[0].centroids)"), (2, 3))
    x, y = 30 - 2, 20 - 2  # from the middle, a fortieth of the width at a time
    np.testing.assert_array_equal(start, [picture[y, x], picture[y, x + 9]])
    page.locator("#run").click()
    page.wait_for_function("() => clicks !== null")
    page.keyboard.press("Escape")
    assert sentence(page).startswith("Start: 5 first")


def test_labels_belong_to_what_is_shown_after_another_picture(open_page, pages):
    page = open_page()
    page.locator("#file").set_input_files(pages[0] / "own.png")
    for seed in ("1", "2"):
        page.locator("#seed").fill(seed)
        page.locator("#run").click()
        page.wait_for_function("() => at('progress').textContent.startsWith('Ended after')")
        press(page, "assign")
        assert page.evaluate(
            "() => { const labels = new Int32Array(walk.points.n).fill(-1);"
            " assign(walk.points, walk.frames[0].centroids, labels);"
            " return labels.every((label, i) => label === labelsAt(1)[i]); }"
        )
    press(page, "recorded")
    assert sentence(page).startswith("Start: 5 first")
    assert not page.locator("#recorded").is_visible()


def test_every_sentence_and_number(open_page, pages):
    """Each half-step's words beside what Python recorded."""
    page, kept = open_page("points"), pages[1]["points"].walk
    for p in range(1, kept.last + 1):
        page.locator("#position").fill(str(p))
        frame, said = kept.frames[(p - 1) // 2], sentence(page)
        if p % 2:
            assert f"iteration {(p + 1) // 2}: {frame.changed} of {len(kept.X)} points" in said
        else:
            shift = np.sqrt(((kept.centroids(p) - frame.centroids) ** 2).sum(axis=1))
            assert f"iteration {p // 2}: {(shift > 0).sum()} centroid" in said
            assert float(said.split("largest by ")[1].split(";")[0]) == pytest.approx(shift.max(), rel=5e-3)
            fell = [float(word.strip(".")) for word in said.split("fell from ")[1].split(" to ")]
            assert fell == pytest.approx([frame.inertia, frame.inertia_after_update], rel=1e-3)
            assert fell[0] > fell[1]
        rows = page.locator("#clusters tbody tr")
        counts = [int(rows.nth(j).locator("td").nth(1).inner_text()) for j in range(rows.count())]
        assert counts == frame.counts.tolist()


def test_small_numbers_are_told_apart(browser, tmp_path):
    X = 50 + np.random.default_rng(0).normal(size=(60, 2)) * 1e-5
    walk.page(X, 3, rng=1).save(tmp_path / "small.html")
    page = browser.new_page()
    page.goto((tmp_path / "small.html").as_uri() + "#step=2")
    page.wait_for_function("() => document.getElementById('sentence').textContent")
    assert "largest by 0;" not in sentence(page)
    assert "fell from 0" not in sentence(page)
    names = page.locator("#clusters tbody tr").all_inner_texts()
    assert len({name.split("\t")[0] for name in names}) == 3
    page.close()


def test_a_picture_that_is_dropped_and_one_that_is_none(open_page, pages):
    page = open_page()
    data = (pages[0] / "own.png").read_bytes()
    page.evaluate(
        """(bytes) => {
            const files = new DataTransfer();
            files.items.add(new File([Uint8Array.from(bytes)], "own.png", { type: "image/png" }));
            document.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
        }""",
        list(data),
    )
    page.wait_for_function("() => at('progress').textContent.startsWith('Ended after')")
    page.locator("#file").set_input_files(pages[0] / "broken.png")
    page.wait_for_function("() => at('progress').textContent.includes('not a picture')")


@pytest.mark.parametrize("name", ["picture", "points"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1920])
def test_accessible_and_within_the_width(open_page, name, scheme, width):
    page = open_page(name, size=(width, 800), color_scheme=scheme, reduced_motion="reduce")
    for p in (0, 1, 2):
        page.locator("#position").fill(str(p))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = axe.Axe().run(page)
        assert not found.response["violations"], found.generate_report()


@pytest.mark.parametrize("name", ["picture", "points"])
def test_large_text_stays_within_the_width(open_page, name):
    page = open_page(name, size=(360, 740))
    page.add_style_tag(content="html { font-size: 200% !important; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_inside_a_notebook(browser, pages, tmp_path):
    """In a frame without an origin of its own, as a notebook shows it."""
    (tmp_path / "notebook.html").write_text(f"<!doctype html>{pages[1]['picture']._repr_html_()}", encoding="utf-8")
    context, noise = browser.new_context(), []
    page = context.new_page()
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.goto((tmp_path / "notebook.html").as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("#assign").click()
    sync_api.expect(frame.locator("#sentence")).to_contain_text("Assign, iteration 1")
    frame.locator("#file").set_input_files(pages[0] / "own.png")
    sync_api.expect(frame.locator("#progress")).to_contain_text("Ended after", timeout=10_000)
    assert not noise
    context.close()
