"""report.html in headless Chromium, as people use it: from the disk, with its own script alone."""

from __future__ import annotations

import json
import shutil

import pytest
import results_doubles as doubles

from ganbench.report import build
from ganbench.report.charts import all_charts

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
wait = pytest.importorskip("selenium.webdriver.support.wait")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (BROWSER and DRIVER),
        reason="no Chromium with its driver: apt-get install chromium chromium-driver",
    ),
]

VARIANTS = ("mlp", "dcgan", "dcgan-smooth")
RARE = "dcgan-smooth"  # has drawn no samples before step 1000
DRAWN = ("quality", "tradeoff", "classes")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("results")
    runs = [doubles.result(variant, seed) for variant in VARIANTS for seed in (0, 1)]
    doubles.write(path, [*runs, doubles.failed("dcgan", 2)], title="Three on a page")
    with pytest.MonkeyPatch.context() as patch:
        some = [chart for chart in all_charts.CHARTS if chart.name in DRAWN]
        patch.setattr(all_charts, "CHARTS", some)  # the others are drawn alike
        rare = path / "runs" / doubles.result(RARE, 0).run_id / "samples"
        for early in sorted(rare.glob("step-*.png"))[:2]:
            early.unlink()
        build([path])
    return path


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, folder):
    """The page, loaded again for each test, 1400 pixels wide and light."""
    resize(browser, 1400)
    colours(browser, "light")
    address = (folder / "report.html").as_uri()
    browser.get("about:blank")
    browser.get(address)
    loaded = "return document.readyState === 'complete' && location.href === arguments[0]"
    wait.WebDriverWait(browser, 60).until(lambda driver: driver.execute_script(loaded, address))
    return Page(browser)


def resize(browser, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def colours(browser, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


class Page:
    """Short names for what tests do on the page."""

    def __init__(self, browser):
        self.browser = browser

    def all(self, selector):
        return self.browser.find_elements("css selector", selector)

    def click(self, selector):
        self.run("document.querySelector(arguments[0]).click()", selector)

    def run(self, script, *values):
        return self.browser.execute_script(script, *values)

    def texts(self, selector):
        return [item.text for item in self.all(selector)]

    def rows(self, table="Quality and diversity"):
        """Names of the shown rows of a table's variants, from above."""
        shown = f'[aria-label^="{table}"] .variants tr:not([hidden]):not(.off) th span'
        return self.texts(shown)

    def shown(self, selector):
        """Labels of the elements that a selector finds and that take room on the page."""
        return self.run(
            "return [...document.querySelectorAll(arguments[0])].filter("
            "(one) => one.getClientRects().length).map((one) => one.dataset.variant)",
            selector,
        )


def test_nothing_is_said_on_the_console_and_nothing_is_asked_of_a_network(page):
    page.click("#theme")
    assert page.browser.get_log("browser") == []
    events = [
        json.loads(line["message"])["message"] for line in page.browser.get_log("performance")
    ]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert any(address.startswith("file:") for address in asked)
    assert all(address.startswith(("file:", "data:")) for address in asked)


def test_the_verdict_comes_first_then_samples_tables_charts_and_phases(page):
    heads = page.texts("h2, h3, .chart b")
    order = ["Verdict", "Samples", "Quality and diversity", "Speed and cost",
             "Quality against training speed", "Hyperparameters", "Phases of a step",
             "Runs that did not complete", "How it was run"]  # fmt: skip
    assert [head for head in heads if head in order] == order
    (headline,) = page.texts(".headline")
    assert headline.startswith("dcgan-smooth leads on FID (classifier) with ")
    assert "not all runs completed: dcgan 2 of 3." in page.all("#verdict")[0].text.lower()


def test_a_click_on_a_head_sorts_and_a_third_one_restores_the_order(page):
    head = '[aria-label^="Quality"] th[data-head^="FID"]'
    values = [
        float(cell.get_attribute("data-value"))
        for cell in page.all('[aria-label^="Quality"] .variants tr:not(.seed) td:nth-child(3)')
    ]
    by_value = [name for _, name in sorted(zip(values, VARIANTS, strict=True))]
    seen = []
    for _ in range(3):
        page.click(f"{head} .sort")
        seen.append((page.all(head)[0].get_attribute("aria-sort"), page.rows()))
    assert seen == [
        ("ascending", by_value), ("descending", by_value[::-1]), (None, list(VARIANTS)),
    ]  # fmt: skip


def test_a_hidden_variant_leaves_tables_charts_and_samples_together(page):
    page.click('[data-choice="mlp"]')
    assert page.rows() == ["dcgan", "dcgan-smooth"]
    for place in ("table", ".samples", ".chart .wide svg"):
        assert set(page.shown(f"{place} [data-variant]")) == {"dcgan", "dcgan-smooth"}
    assert page.texts("#count") == ["2 of 3"]
    page.click("#none")
    assert page.rows() == []
    page.click("#all")
    assert page.rows() == list(VARIANTS)


CENTRES = """
const rows = document.querySelectorAll('.chart .wide [data-rows]')[arguments[0]];
const svg = rows.closest('svg');
return [svg.getBoundingClientRect().height, [...rows.querySelectorAll('[data-variant] text')]
    .filter((one) => one.getClientRects().length && one.style.textAnchor === 'end')
    .map((one) => [one.textContent, one.getBoundingClientRect().y - svg.getBoundingClientRect().y])]
"""


def test_rows_of_charts_close_up_over_a_hidden_variant_and_open_again(page):
    height, all_rows = page.run(CENTRES, 0)
    assert [name for name, _ in all_rows] == list(VARIANTS)
    step = all_rows[1][1] - all_rows[0][1]
    page.click('[data-choice="dcgan"]')
    shorter, left = page.run(CENTRES, 0)
    assert [name for name, _ in left] == ["mlp", "dcgan-smooth"]
    assert left[0][1] == pytest.approx(all_rows[0][1], abs=0.5)
    assert left[1][1] == pytest.approx(all_rows[1][1], abs=0.5)
    panels = page.run(
        "const tops = [...document.querySelector('.chart .wide svg')"
        ".querySelectorAll('[data-rows]')].map((one) => one.dataset.axes.split(' ')[3]);"
        "return new Set(tops).size"
    )
    assert height - shorter == pytest.approx(panels * step, abs=2)
    page.click('[data-choice="dcgan"]')
    assert page.run(CENTRES, 0) == [height, all_rows]


PANELS = """
const svg = [...document.querySelectorAll('.chart .wide svg')].find(
    (one) => one.querySelector('[data-axes][data-variant]'));
const box = (one) => one.querySelector('path').getBoundingClientRect();
return [...svg.querySelectorAll('[data-axes][data-variant]')]
    .filter((one) => one.getClientRects().length)
    .map((one) => [one.dataset.variant, Math.round(box(one).x)])
"""


def test_panels_of_charts_move_up_to_the_place_of_a_hidden_variant(page):
    before = page.run(PANELS)
    places = [place for _, place in before]
    page.click('[data-choice="mlp"]')
    assert page.run(PANELS) == [["dcgan", places[0]], ["dcgan-smooth", places[1]]]
    shown = page.run(
        "return [...document.querySelectorAll('.chart .wide .axis-name')].filter("
        "(one) => one.getClientRects().length).length"
    )
    assert shown == 1  # the name of the vertical axis stays
    page.click("#all")
    assert page.run(PANELS) == before


def test_a_chart_whose_axes_stay_says_which_variants_are_hidden(page):
    def said(title):
        found = [one.text for one in page.all(".chart figcaption") if title in one.text]
        return found[0].splitlines()[-1]

    assert "Hidden" not in "".join(page.texts(".chart figcaption"))
    page.click('[data-choice="mlp"]')
    assert said("Quality against training speed").endswith(
        "Hidden: mlp. The axes are those of all variants."
    )
    page.click("#all")
    assert "Hidden" not in "".join(page.texts(".chart figcaption"))


def test_the_filter_keeps_what_has_one_of_its_words(page):
    (field,) = page.all("#filter")
    field.send_keys("SMOOTH, ml")
    assert page.rows() == ["mlp", "dcgan-smooth"]
    assert set(page.shown(".chart .wide svg [data-variant]")) == {"mlp", "dcgan-smooth"}


def test_intervals_are_switched_off_in_tables_and_charts(page):
    shown = (
        "return [...document.querySelectorAll('.interval')].filter("
        "(one) => one.getClientRects().length).length"
    )
    assert page.run(shown) > 10
    page.click("#intervals")
    assert page.run(shown) == 0


def test_a_row_unfolds_into_its_runs_which_are_links_to_their_folders(page, folder):
    page.click('[aria-label^="Quality"] [data-variant="dcgan"] .unfold')
    rows = page.all('[aria-label^="Quality"] .seed:not([hidden])')
    assert [row.text.split()[:3] for row in rows] == [
        ["seed", "0", "ok"], ["seed", "1", "ok"], ["seed", "2", "failed"],
    ]  # fmt: skip
    links = [row.find_element("css selector", "a").get_attribute("href") for row in rows]
    runs = (folder / "runs").as_uri()
    assert links[0] == f"{runs}/{doubles.result('dcgan', 0).run_id}/"
    button = page.all('[aria-label^="Quality"] [data-variant="dcgan"] .unfold')[0]
    assert button.get_attribute("aria-expanded") == "true"


def test_the_slider_moves_the_samples_of_all_variants_together(page):
    shown = (
        "return [...document.querySelectorAll('.samples figure[data-variant] img:not([hidden])')]"
        ".map((one) => one.dataset.step)"
    )
    assert page.run(shown) == ["4500"] * 3
    page.run(
        "const slider = document.querySelector('.samples input'); slider.value = 0;"
        "slider.dispatchEvent(new Event('input'));"
    )
    assert page.run(shown) == ["100"] * 2
    assert page.shown(".samples figure[data-variant]:has(.not-yet:not([hidden]))") == [RARE]
    assert page.texts(".not-yet")[-1] == "none drawn yet:\nthe first at step 1,000"
    assert page.texts(".samples output") == ["step 100"]
    assert len(page.all(".samples .real img")) == 1


def test_samples_are_enlarged_in_whole_pixels_and_keys_move_through_training(page):
    (frame,) = page.all('.samples figure[data-variant="mlp"] .frame')
    frame.click()
    (image,) = page.all("dialog img")
    assert image.value_of_css_property("image-rendering") == "pixelated"
    assert image.size["width"] > 2 * frame.size["width"]
    before = page.texts("dialog .muted")
    page.all("dialog button")[0].send_keys("\ue012")  # the left arrow
    assert before == ["step 4,500 · epoch 4.8"]
    assert page.texts("dialog .muted") == ["step 4,000 · epoch 4.3"]
    page.all("dialog button")[0].send_keys("\ue00c")  # escape
    assert not page.run("return document.querySelector('dialog').open")


@pytest.mark.parametrize(
    ("kind", "begin", "row"),
    [
        ("csv", "Variant,Seeds,FID (classifier) ↓,", "mlp,2 of 2,"),
        ("markdown", "| Variant | Seeds | FID (classifier) ↓ |", "| mlp | 2 of 2 | "),
        ("latex", r"\begin{tabular}{lrrrrrrrr}", "mlp & 2 of 2 & "),
    ],
)
def test_a_table_is_copied_as_it_is_shown(page, kind, begin, row):
    page.click('[data-choice="dcgan"]')
    button = page.all(f'[aria-label="Copy the table Quality and diversity"] [data-copy="{kind}"]')[
        0
    ]
    button.click()
    text = page.browser.execute_async_script(
        "const done = arguments[0]; navigator.clipboard.readText().then(done, done)"
    )
    lines = text.splitlines()
    assert lines[0].startswith(begin)
    assert any(line.startswith(row) for line in lines)
    assert not any(line.startswith(("dcgan,", "| dcgan |", "dcgan &")) for line in lines)
    assert page.texts("#said")[0].startswith("Copied as")


@pytest.mark.parametrize("width", [390, 768, 1400, 1600])
def test_no_width_cuts_a_column_and_the_first_one_stays(page, width):
    resize(page.browser, width)
    extra = page.run(
        "const page = document.documentElement; return page.scrollWidth - page.clientWidth"
    )
    assert extra == 0
    cut = page.run(
        "return [...document.querySelectorAll('.card > *, .scroll, svg, .strips > *')].filter("
        "(one) => one.getBoundingClientRect().right > innerWidth).length"
    )
    assert cut == 0
    lefts = page.run(
        "const table = document.querySelector('.scroll'); table.scrollLeft = 500;"
        "const first = table.querySelector('tbody th').getBoundingClientRect();"
        "return [first.left, table.getBoundingClientRect().left]"
    )
    assert lefts[0] == pytest.approx(lefts[1], abs=1)


@pytest.mark.parametrize(("width", "kind"), [(390, "narrow"), (768, "narrow"), (1400, "wide")])
def test_letters_of_charts_can_be_read_at_each_width(page, width, kind):
    resize(page.browser, width)
    heights = page.run(
        "return [...document.querySelectorAll('.chart text')].map("
        "(one) => [one.closest('.narrow') ? 'narrow' : 'wide', one.getBoundingClientRect().height])"
        ".filter(([, height]) => height)"
    )
    assert {name for name, _ in heights} == {kind}
    assert min(height for _, height in heights) >= 9


def test_the_page_is_dark_where_the_system_or_the_reader_wants_it(page):
    def paper():
        return [
            page.run(
                "const [place, what] = arguments;"
                "return getComputedStyle(document.querySelector(place))[what]",
                *at,
            )
            for at in (("body", "backgroundColor"), (".chart text", "fill"))
        ]

    light = paper()
    colours(page.browser, "dark")
    dark = paper()
    assert dark[0] != light[0]
    assert dark[1] != light[1]
    page.click("#theme")
    assert paper() == light
    colours(page.browser, "light")


def test_the_pointer_on_a_mark_says_variant_seed_and_value(page):
    titles = page.run(
        "const found = [];"
        "const marks = document.querySelectorAll('.chart .wide [data-variant=mlp][data-title]');"
        "for (const mark of marks) {"
        "  const target = mark.querySelector('use') || mark.querySelector('path');"
        "  const box = target.getBoundingClientRect();"
        "  target.dispatchEvent(new PointerEvent('pointermove', {bubbles: true,"
        "    clientX: box.x + box.width / 2, clientY: box.y + box.height / 2}));"
        "  found.push(document.getElementById('tip').textContent);"
        "} return found"
    )
    fid = doubles.result("mlp", 0).scores["fid"]
    assert f"mlp, seed 0: {fid:.1f}" in titles
    assert any(title.startswith("mlp: FID (classifier) ") for title in titles)


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(page):
    unnamed = page.run(
        "const controls = document.querySelectorAll('button, input, a, svg, img, [tabindex]');"
        "const hasName = (one) => one.textContent.trim() || one.getAttribute('aria-label') ||"
        " one.alt || one.labels?.[0]?.textContent.trim();"
        "return [...controls].filter((one) => one.getClientRects().length && !hasName(one))"
        ".map((one) => one.outerHTML.slice(0, 80))"
    )
    assert unnamed == []
    (head,) = page.all('[aria-label^="Quality"] th[data-head="Variant"] .sort')
    head.send_keys("\n")
    assert page.rows() == sorted(VARIANTS)
