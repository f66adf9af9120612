"""The page in headless Chromium, with a run on digits, as people use it."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest
from command_line import ganbench
from PIL import Image
from play_doubles import untrained_run

from ganbench.machine.device import Device
from ganbench.playground.choices import find_choices
from ganbench.playground.playground import Playground

pytest.importorskip("flask", reason="Flask is not installed: pip install 'ganbench[play]'")
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
waiting = pytest.importorskip("selenium.webdriver.support.ui")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (BROWSER and DRIVER),
        reason="no Chromium with its driver: apt-get install chromium chromium-driver",
    ),
]

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
SECONDS = 60


@pytest.fixture(scope="module")
def address(tmp_path_factory, cache_root):
    """A server with a run that was trained on digits, one by class, one by text, and points."""
    from ganbench.playground.server import server

    folder = tmp_path_factory.mktemp("results")
    flags = ("--budget", "60steps", "--set", "image_size=16", "--device", "cpu")
    code = ganbench(
        "run", "--variants", "mlp", "--dataset", "digits", *flags, "--out", folder / "a"
    )
    assert code == 0
    for variant in ("acgan", "texthash"):
        untrained_run(folder / "b", variant)
    untrained_run(folder / "c", "lsgan", "ring8", network="mlp", larger=6)
    choices, _ = find_choices([folder])
    opened = server(Playground(choices, Device("cpu"), cache_root, cache_root))
    thread = threading.Thread(target=opened.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{opened.port}/"
    opened.shutdown()
    thread.join()
    opened.server_close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(tmp_path_factory.mktemp("saved"))}
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    driver.saved = options.experimental_options["prefs"]["download.default_directory"]
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, address):
    """The page, loaded again for each test, 1300 pixels wide."""
    resize(browser, 1300)
    browser.get_log("browser")
    browser.get(address)
    page = Page(browser)
    page.until(lambda: page.count("#sliders input") and page.count("#large img[src]"))
    yield page
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def resize(browser, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


class Page:
    """Short names for what tests do on the page."""

    def __init__(self, browser):
        self.browser = browser

    def until(self, holds):
        return waiting.WebDriverWait(self.browser, SECONDS, 0.05).until(lambda _: holds())

    def run(self, script, *values):
        return self.browser.execute_script(script, *values)

    def count(self, selector):
        return len(self.browser.find_elements("css selector", selector))

    def text(self, selector):
        script = "return document.querySelector(arguments[0])?.textContent ?? ''"
        return self.run(script, selector)

    def sources(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map((image) => image.src)"
        return self.run(script, selector)

    def click(self, selector, number=0):
        self.run("document.querySelectorAll(arguments[0])[arguments[1]].click()", selector, number)

    def put(self, selector, value):
        script = """
          const input = document.querySelector(arguments[0]);
          input.value = arguments[1];
          for (const kind of ["input", "change"]) input.dispatchEvent(new Event(kind));
        """
        self.run(script, selector, value)

    def changes(self, selector, act):
        """Do something, and wait until other images are shown; the new ones."""
        before = self.sources(selector)
        act()
        self.until(lambda: self.sources(selector) != before)
        return self.sources(selector)

    def choose_run(self, place, variant):
        script = """
          const options = [...document.getElementById(arguments[0]).options];
          return options.find((option) => option.text.startsWith(arguments[1])).value;
        """
        self.put(f"#{place}", self.run(script, place, f"{variant} ·"))
        mark = place[-1]
        self.until(lambda: self.text(f"#samples .{mark} figcaption").startswith(f"{variant} ·"))


def test_samples_are_drawn_anew_and_the_seed_brings_them_back(page):
    first = page.sources("#samples img")
    assert len(set(first)) == 24
    page.changes("#samples img", lambda: page.click("#again"))
    page.changes("#samples img", lambda: page.put("#seed", "0"))
    page.until(lambda: page.sources("#samples img") == first)


def test_a_slider_moves_the_chosen_sample_and_can_be_taken_back(page):
    still = page.sources("#large img")
    moved = page.changes("#large img", lambda: page.put("#sliders input", "4"))
    assert moved != still
    page.click("#reset")
    page.until(lambda: page.sources("#large img") == still)
    other = page.changes("#large img", lambda: page.click("#samples .cell", 5))
    assert page.text("#chosen") == "Sample 6"
    assert other != still


def test_an_interpolation_goes_from_the_chosen_sample_to_another(page):
    page.click("#other")
    page.click("#samples .cell", 7)
    page.until(lambda: page.count("#strips img") == 9)
    assert page.text("#chosen") == "Sample 1 towards 8"
    samples, strip = page.sources("#samples img"), page.sources("#strips img")
    assert len(set(strip)) == 9
    page.put("#share", "1")
    end = samples[7]
    page.until(lambda: near(page, page.sources("#large img")[0], end))
    page.click("#leave")
    page.until(lambda: not page.count("#strips img"))


def near(page, one, other):
    """Whether two images differ by at most a grey value: batches of other sizes round otherwise."""
    script = """
      const done = arguments[2];
      const read = async (source) => {
        const image = Object.assign(new Image(), { src: source });
        await image.decode();
        const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
        canvas.drawImage(image, 0, 0);
        return canvas.getImageData(0, 0, image.width, image.height).data;
      };
      Promise.all([read(arguments[0]), read(arguments[1])]).then(([a, b]) =>
        done(a.length === b.length && a.every((value, place) => Math.abs(value - b[place]) <= 1)));
    """
    return page.browser.execute_async_script(script, one, other)


def test_the_nearest_training_images_stand_beside_the_sample(page):
    page.put("#by", "pixels")
    page.click("#nearest")
    page.until(lambda: page.count("#near img") == 7)  # the sample and six
    assert "Nearest of 1,438 training images, in pixels" in page.text("#near")
    assert page.sources("#near img")[0] == page.sources("#large img")[0]
    page.put("#sliders input", "2")
    page.until(lambda: page.count("#near img") == 0)  # they were those of another image


def test_a_class_and_a_prompt_can_be_chosen_where_the_variant_takes_one(page):
    assert page.run("return document.getElementById('label-field').hidden")
    page.choose_run("run-a", "acgan")
    assert page.text("#samples .cell small") == "0"
    page.changes("#samples img", lambda: page.put("#label", "3"))
    assert page.text("#samples .cell small") == "3"
    assert page.run("return document.getElementById('prompt-field').hidden")
    page.choose_run("run-a", "texthash")
    page.changes("#samples img", lambda: page.put("#prompt", "a handwritten zebra"))
    page.until(lambda: "In no caption of digits: zebra" in page.text("#unknown"))


def test_two_runs_stand_side_by_side_and_latents_that_differ_are_said_to(page):
    page.choose_run("run-b", "acgan")
    page.until(lambda: page.count("#samples .b img") == 24 and page.count("#large img") == 2)
    assert "Latents differ" in page.text("#said")
    page.put("#run-b", "")
    page.until(lambda: page.count("#samples figure") == 1)


def test_truncation_to_nothing_draws_one_image(page):
    page.put("#truncation", "0")
    page.until(lambda: len(set(page.sources("#samples img"))) == 1)
    assert page.text("#truncation-value") == "0.00"


def test_points_are_a_scatter_plot_on_which_one_is_chosen(page):
    options = "return [...document.getElementById('run-a').options].map((option) => option.text)"
    titles = page.run(options)
    place = next(number for number, title in enumerate(titles) if "ring8" in title)
    page.run("document.getElementById('run-a').selectedIndex = arguments[0]", place)
    page.run("document.getElementById('run-a').dispatchEvent(new Event('change'))")
    page.until(lambda: page.count("#samples canvas") and page.text("#at").startswith("At ("))
    chosen = set()
    for side in (0.01, 0.99):  # the points that lie farthest to the left and to the right
        script = """
          const canvas = document.querySelector("#samples canvas");
          const box = canvas.getBoundingClientRect();
          const clientX = box.left + arguments[0] * box.width, clientY = box.top + box.height / 2;
          canvas.dispatchEvent(new MouseEvent("click", { clientX, clientY }));
          return document.getElementById("chosen").textContent;
        """
        chosen.add(page.run(script, side))
    assert len(chosen) == 2
    assert page.count("#samples .grid") == 0


def test_a_picture_is_saved(page):
    page.click("#save")
    saved = Path(page.browser.saved) / "samples-seed-0.png"
    page.until(saved.exists)
    with Image.open(saved) as picture:
        assert picture.text["Description"].startswith("mlp-s0-")


def test_an_error_of_the_server_is_said_on_the_page(page):
    page.run("document.getElementById('run-b').append(new Option('gone', '99'))")
    page.put("#run-b", "99")
    page.until(lambda: "load it again" in page.text("#message"))
    assert page.run("return document.getElementById('message').className") == "bad"
    entries = page.browser.get_log("browser")  # the browser notes each refused request
    assert [entry for entry in entries if "422" not in entry["message"]] == []


@pytest.mark.parametrize("width", [390, 700, 1300])
def test_nothing_is_wider_than_the_page(page, width):
    page.choose_run("run-b", "texthash")
    resize(page.browser, width)
    assert page.run("return document.documentElement.scrollWidth") <= width


def test_no_request_leaves_this_machine(page, address):
    messages = [json.loads(entry["message"]) for entry in page.browser.get_log("performance")]
    events = [message["message"] for message in messages]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert f"{address}draw" in asked
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
