"""What stands in a report for reading: notes, hyperparameters, LaTeX, and how large the page is."""

from __future__ import annotations

import csv
import io
import re

import pytest
import results_doubles as doubles
from PIL import Image

from ganbench.report.charts.all_charts import Drawn
from ganbench.report.content import content_of
from ganbench.report.gather import gather
from ganbench.report.hyperparameters import hyperparameters_of
from ganbench.report.latex import escaped, latex
from ganbench.report.notes import cautions_of, grouped
from ganbench.report.page import MOST_CHART_BYTES, page
from ganbench.report.readme import readme
from ganbench.report.sample_images import real_part
from ganbench.report.strips import strips_of
from ganbench.report.tables import runs_csv


def results_of(path, *runs, files=False):
    return gather([doubles.write(path, list(runs), files=files)])


def test_equal_notes_of_many_variants_are_one():
    names = ["a", "b", "c", "d", "e"]
    notes = ["a: x", *(f"{name}: image size 32" for name in names), "of nobody"]
    assert grouped(notes, names) == [
        "a: x", "5 variants (a, b, c, d, e): image size 32", "of nobody",
    ]  # fmt: skip


def test_cautions_that_differ_by_a_percentage_are_one_with_its_range(tmp_path):
    runs = [
        doubles.result("mlp", 0, notes=["97% are outside"]),
        doubles.result("mlp", 1, notes=["100% are outside"]),
        doubles.result("dcgan", 0, notes=["98% are outside", "few images"]),
        doubles.result("dcgan", 1),
    ]
    (group,) = results_of(tmp_path, *runs).groups
    assert cautions_of(group) == [
        "mlp, dcgan (seed 0): 97% to 100% are outside.", "dcgan (seed 0): few images.",
    ]  # fmt: skip


@pytest.fixture
def two_recipes(tmp_path):
    base = doubles.result().recipe
    return results_of(
        tmp_path,
        doubles.result("mlp", recipe={**base, "beta1": 0.9, "hidden": 3, "ema": True}),
        doubles.result("dcgan", recipe={**base, "beta1": 0.5, "ema": False, "slope": 0.2}),
        doubles.result("lsgan", recipe={**base, "beta1": 0.5, "slope": 0.1}),
    )


def test_hyperparameters_that_differ_come_first_and_equal_ones_are_listed(two_recipes):
    (group,) = two_recipes.groups
    made = hyperparameters_of(group)
    assert made.differing.heads == ("beta1", "ema", "slope")
    cells = {label: [cell.mean for cell in row] for label, _, _, row in made.differing.rows}
    assert cells == {
        "mlp": ["0.9", "yes", ""], "dcgan": ["0.5", "no", "0.2"], "lsgan": ["0.5", "", "0.1"],
    }  # fmt: skip
    assert dict(made.equal) == {
        "batch_size": "64", "lr_g": "0.0002", "image_size": "28", "hidden": "3",
    }  # fmt: skip


def test_hyperparameters_are_in_the_readme_and_in_runs_csv(two_recipes, tmp_path):
    text = readme(content_of(two_recipes, "fid"), [], tmp_path)
    assert "| Variant | Seeds | beta1 | ema | slope |" in text
    assert "The same for all that have them: batch_size 64, lr\\_g" in text or "lr_g 0.0002" in text
    rows = list(csv.DictReader(io.StringIO(runs_csv(two_recipes))))
    assert [row["recipe_beta1"] for row in rows] == ["0.9", "0.5", "0.5"]
    assert [row["recipe_slope"] for row in rows] == ["", "0.2", "0.1"]
    assert "recipe_budget" not in rows[0]


def test_latex_escapes_names_and_marks_the_best(tmp_path):
    runs = [
        doubles.result("a_b&c", seed, scores={"fid": fid}) for seed, fid in enumerate((9.0, 9.1))
    ]
    runs += [doubles.result("mlp", seed, scores={"fid": 90.0 + seed}) for seed in (0, 1)]
    text = latex(content_of(results_of(tmp_path, *runs), "fid"))
    (line,) = [
        line for line in text.splitlines() if line.startswith(r"a\_b\&c & 2 of 2 & \textbf{9.0")
    ]
    assert line.endswith(r"\\")
    assert "mlp & 2 of 2 & 90.5 $\\pm$ 0.7" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}")
    assert escaped("50% ↓ {x}~\\") == r"50\% $\downarrow$ \{x\}\textasciitilde{}\textbackslash{}"


def test_titles_say_dataset_device_and_budget_and_no_hashes(tmp_path):
    (group,) = results_of(tmp_path / "one", doubles.result()).groups
    assert group.title == "mnist · Imaginary CPU 9000 · 25 epochs"
    fewer = doubles.protocol(fake_count=5000)
    fields = {**doubles.result().protocol_fields, "fake_count": 5000}
    other = doubles.result("mlp", protocol=fewer.hash, protocol_fields=fields)
    titles = [g.title for g in results_of(tmp_path / "two", doubles.result(), other).groups]
    assert titles == [
        "mnist · Imaginary CPU 9000 · 25 epochs · fake count 10000",
        "mnist · Imaginary CPU 9000 · 25 epochs · fake count 5000",
    ]


def test_joined_folders_say_once_what_they_share(tmp_path):
    first = doubles.write(tmp_path / "a", [doubles.result()], files=False)
    second = doubles.write(tmp_path / "b", [doubles.result("mlp")], files=False)
    facts = content_of(gather([first, second]), "fid").facts
    names = [fact.name for fact in facts]
    assert names.count("Machine") == names.count("Command") == 1
    assert [fact.text for fact in facts if fact.name == "Folder"] == ["a", "b"]


def test_budgets_without_a_second_seed_have_no_ranking(tmp_path):
    runs = [doubles.result(variant, seed) for variant in ("mlp", "dcgan") for seed in (0, 1)]
    runs += [doubles.result(v, budget="9epochs", run_id=f"{v}-9") for v in ("lsgan", "wgan")]
    (section,) = content_of(results_of(tmp_path, *runs), "fid").sections
    headings = [ranking.heading for ranking in section.ranked.rankings]
    assert headings
    assert not any("9epochs" in heading for heading in headings)


def test_single_runs_and_links_are_left_out_where_there_is_no_place_to_link_from(tmp_path):
    content = content_of(results_of(tmp_path, doubles.result()), "fid")
    assert "<a href=" not in page(content, []).replace('<a href="#', "").split("skip")[-1]
    text = page(content, [], tmp_path)
    assert f'<a href="runs/{doubles.result().run_id}/">seed 0</a>' in text


def test_charts_beyond_the_size_of_a_page_lose_their_second_width_and_then_become_png(tmp_path):
    content = content_of(results_of(tmp_path, doubles.result()), "fid")
    group = content.sections[0].slug

    def drawn(name, size):
        wide, narrow = (f"<svg>{name}-{width}{'x' * size}</svg>" for width in ("wide", "narrow"))
        return Drawn(group, name, f"{name}.png", name, name, "", b"png", wide, narrow)

    text = page(content, [drawn("small", 10), drawn("huge", MOST_CHART_BYTES // 2 + 1)])
    assert "small-wide" in text
    assert "small-narrow" in text
    assert "huge-wide" in text
    assert "huge-narrow" not in text
    text = page(content, [drawn("small", 10), drawn("beyond", MOST_CHART_BYTES + 1)])
    assert "small-narrow" in text  # the other one left it room
    assert "<svg>beyond" not in text
    assert 'src="data:image/png;base64,' in text


def test_tables_are_in_the_page_where_they_are_small_and_linked_where_they_are_not(tmp_path):
    content = content_of(results_of(tmp_path, doubles.result()), "fid")
    text = page(content, [], tmp_path, {"small.csv": "a,b\n", "large.csv": "x" * 500_000})
    assert 'download="small.csv" href="data:text/csv;base64,YSxiCg=="' in text
    assert 'download="large.csv" href="large.csv"' in text


def test_the_strips_of_a_page_have_the_first_and_the_last_moment(tmp_path):
    (group,) = results_of(tmp_path, doubles.result(), doubles.result("mlp"), files=True).groups
    strips = strips_of(group, ["dcgan", "mlp"])
    assert len(strips.moments) == 8
    assert (strips.moments[0], strips.moments[-1]) == ("step 100", "step 4,500")
    assert strips.real[0].name == "real-and-fake.png"


def test_the_real_half_of_a_picture_is_found():
    left = Image.new("RGB", (10, 10), "red")
    sheet = Image.new("RGB", (10 + 16 + 10, 10 + 24), "white")
    sheet.paste(left, (0, 24))
    assert real_part(sheet, (10, 10)).tobytes() == left.tobytes()


def test_a_damaged_picture_leaves_its_moment_out(tmp_path):
    results = results_of(tmp_path, doubles.result(), files=True)
    (run,) = (tmp_path / "runs").iterdir()
    for file in sorted((run / "samples").glob("step-*.png"))[1:]:
        file.write_bytes(b"no picture")
    text = page(content_of(results, "fid"), [], tmp_path)
    assert len(re.findall(r'data-step="(\d+)"', text)) == 1
