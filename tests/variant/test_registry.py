from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import ganbench.variants
import pytest

from ganbench.errors import UsageError
from ganbench.variant import registry
from ganbench.variant.registry import entries, expand, resolve

BUILT_IN = [
    "acgan",
    "bigan",
    "cgan",
    "dcgan",
    "dcgan-diffaug",
    "dcgan-ema",
    "dcgan-smooth",
    "lsgan",
    "mlp",
    "pacdcgan",
    "r3gan",
    "sngan",
    "sngan-resnet",
    "stylegan2",
    "texthash",
    "texthash-naive",
    "unrolled",
    "veegan",
    "wgan",
    "wgan-gp",
    "wgan-gp-resnet",
]
VARIANTS = Path(__file__).parents[2] / "variants"
PLUGIN = '''"""A variant for the tests.

More of it.
"""
from ganbench import Recipe, Variant, losses, networks

VARIANT = Variant(
    title="Mine", paper="none", recipe=Recipe(lr_g=0.125),
    generator=networks.dcgan_generator, discriminator=networks.dcgan_discriminator,
    losses=losses.bce,
)
'''


@pytest.fixture
def plugin_file(tmp_path):
    def write(text=PLUGIN, name="mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def entry(name):
    (found,) = [item for item in entries() if item.name == name]
    return found


def refusal(*names):
    with pytest.raises(UsageError) as caught:
        resolve(names)
    message = str(caught.value)
    assert "\n" not in message
    return message


# --- Listing ---


def test_the_built_in_variants_are_listed_by_name():
    assert [item.name for item in entries() if item.kind == "built-in"] == BUILT_IN


def test_each_built_in_variant_has_a_summary_and_no_problem():
    for item in entries():
        assert (item.problem, item.summary != "") == ("", True), item


def test_the_origin_of_a_built_in_variant_is_its_file():
    assert Path(entry("dcgan-smooth").origin) == VARIANTS / "dcgan_smooth.py"


def test_listing_imports_neither_torch_nor_a_variant():
    program = (
        "import sys; from ganbench.variant.registry import entries; assert len(entries()) >= 5;"
        "bad = [n for n in sys.modules if n in ('torch', 'pandas', 'torchvision')"
        " or n.startswith('ganbench.variants')]; assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_file_with_an_underscore_in_front_is_not_listed(tmp_path, monkeypatch):
    (tmp_path / "_draft.py").write_text(PLUGIN)
    (tmp_path / "new_one.py").write_text(PLUGIN)
    monkeypatch.setattr(ganbench.variants, "__path__", [str(tmp_path)])
    monkeypatch.setattr(ganbench.variants.__spec__, "submodule_search_locations", [str(tmp_path)])
    assert [item.name for item in entries()] == ["new-one"]


def test_an_entry_point_is_listed_without_running_its_package(install):
    install(
        {"faraway": "plugin_a.sub.module:VARIANT"},
        {
            "plugin_a/__init__.py": "raise RuntimeError('was run')",
            "plugin_a/sub/__init__.py": "raise RuntimeError('was run')",
            "plugin_a/sub/module.py": PLUGIN,
        },
    )
    item = entry("faraway")
    assert (item.kind, item.summary, item.problem) == (
        "entry point",
        "A variant for the tests.",
        "",
    )
    assert item.origin == "entry point plugin_a.sub.module:VARIANT (gan-plugins)"


@pytest.mark.parametrize(
    ("value", "text", "problem"),
    [
        ("plugin_b:VARIANT", None, "no Python file of the module plugin_b"),
        ("plugin_b.sub:VARIANT", PLUGIN, "no Python file of the module plugin_b.sub"),
        ("plugin_b:VARIANT", "def f(:\n", "SyntaxError"),
        ("plugin_b:VARIANT", "import no_such_package_here\nVARIANT = 1", "no_such_package_here"),
        ("plugin_b:VARIANT", "from no_such_package_here.x import y\nVARIANT = 1", "not installed"),
        ("plugin_b:VARIANT", "variant = 1", "defines no VARIANT"),
        ("plugin_b:OTHER", PLUGIN, "defines no OTHER"),
        ("not a module", PLUGIN, "not of the form package.module:VARIANT"),
    ],
)
def test_a_broken_plugin_is_listed_with_its_reason(install, value, text, problem):
    install({"broken": value}, {} if text is None else {"plugin_b.py": text})
    assert problem in entry("broken").problem
    assert [item.name for item in entries() if not item.problem] == BUILT_IN


@pytest.mark.parametrize(
    "text",
    [
        "from plugin_else import *",
        "try:\n    import no_such_package_here\nexcept ImportError:\n    pass\nVARIANT = 1",
        "def __getattr__(name): ...",
        "from . import x as VARIANT",
        "if True:\n    VARIANT: object = 1",
    ],
)
def test_nothing_is_held_against_a_plugin_that_may_work(install, text):
    install({"perhaps": "plugin_c:VARIANT"}, {"plugin_c.py": text, "plugin_else.py": ""})
    assert entry("perhaps").problem == ""


def test_an_entry_point_with_the_name_of_a_built_in_variant_is_a_problem_of_both(install):
    install({"dcgan_smooth": "plugin_d:VARIANT"}, {"plugin_d.py": PLUGIN})
    both = {item.kind: item for item in entries() if item.name == "dcgan-smooth"}
    assert both["entry point"].origin in both["built-in"].problem
    assert both["built-in"].origin in both["entry point"].problem


# --- Resolving ---


def test_variants_come_in_the_order_of_the_request():
    assert [found.name for found in resolve(["texthash", "mlp"])] == ["texthash", "mlp"]


def test_no_names_give_no_variants():
    assert resolve([]) == ()


@pytest.mark.parametrize("spelling", ["dcgan-smooth", "dcgan_smooth", " dcgan-smooth "])
def test_words_may_be_joined_by_a_hyphen_or_an_underscore(spelling):
    (found,) = resolve([spelling])
    assert found.name == "dcgan-smooth"
    assert found.variant.recipe.batch_size == 1024


def test_all_stands_for_all_built_in_variants_and_entry_points(install):
    install({"afar": "plugin_e:VARIANT"}, {"plugin_e.py": PLUGIN})
    assert expand([" all "]) == (tuple(sorted(["afar", *BUILT_IN])), {})


def test_all_can_do_without_a_broken_one(install):
    install({"afar": "plugin_f:VARIANT", "awry": "plugin_g:VARIANT"}, {"plugin_f.py": PLUGIN})
    names, broken = expand(["mlp", "all"])
    assert names == ("mlp", *sorted(["afar", *BUILT_IN]))
    assert list(broken) == ["awry"]
    assert "'awry', entry point plugin_g:VARIANT (gan-plugins) cannot be used" in broken["awry"]
    assert expand(["awry"]) == (("awry",), {})


def test_a_file_is_called_by_its_stem(plugin_file):
    path = plugin_file(name="my_gan.py")
    (found,) = resolve([str(path)])
    assert (found.name, found.origin) == ("my-gan", str(path))
    assert found.variant.title == "Mine"


def test_a_file_of_this_folder_needs_no_slash(plugin_file, monkeypatch):
    monkeypatch.chdir(plugin_file().parent)
    assert [found.name for found in resolve(["mine.py"])] == ["mine"]


def test_a_file_is_loaded_without_touching_the_search_path_or_writing_bytecode(plugin_file):
    path, before = plugin_file(), list(sys.path)
    resolve([str(path)])
    assert sys.path == before
    assert "mine" not in sys.modules
    assert [item.name for item in path.parent.iterdir()] == ["mine.py"]


def test_a_file_that_was_changed_is_loaded_anew_even_within_the_same_second(plugin_file):
    first = resolve([str(plugin_file())])[0]
    second = resolve([str(plugin_file(PLUGIN.replace("Mine", "Your")))])[0]
    assert (first.variant.title, second.variant.title) == ("Mine", "Your")
    assert first.source_hash != second.source_hash


def test_two_files_may_subclass_the_recipe_with_postponed_annotations(plugin_file):
    text = (
        "from __future__ import annotations\n"
        "import ganbench\nfrom pydantic import Field\n"
        "Weight = float\n"
        "class Recipe(ganbench.Recipe):\n    weight: Weight = Field(2.0, ge=0)\n"
    ) + PLUGIN.replace("Recipe, ", "").replace("lr_g=0.125", "weight=3")
    names = [str(plugin_file(text, "one.py")), str(plugin_file(text, "two.py"))]
    assert [found.variant.recipe.weight for found in resolve(names)] == [3.0, 3.0]


def test_the_source_hash_ignores_the_kind_of_line_endings(plugin_file, tmp_path):
    first = resolve([str(plugin_file())])[0]
    (tmp_path / "other.py").write_bytes(PLUGIN.replace("\n", "\r\n").encode())
    assert resolve([str(tmp_path / "other.py")])[0].source_hash == first.source_hash


def test_the_path_of_a_built_in_variant_is_that_variant():
    (by_path,) = resolve([str(VARIANTS / "mlp.py")])
    (by_name,) = resolve(["mlp"])
    assert by_path == by_name
    assert by_path.variant is by_name.variant


def test_an_entry_point_is_imported_with_the_hash_of_its_module(install, plugin_file):
    install({"afar": "plugin_f.inner:box.VARIANT"}, {
        "plugin_f/__init__.py": "",
        "plugin_f/inner.py": PLUGIN + "class box:\n    VARIANT = VARIANT\n",
    })  # fmt: skip
    (found,) = resolve(["afar"])
    assert found.variant.recipe.lr_g == 0.125
    same_text = plugin_file(PLUGIN + "class box:\n    VARIANT = VARIANT\n")
    assert found.source_hash == resolve([str(same_text)])[0].source_hash


def test_an_entry_point_without_an_attribute_means_the_constant(install):
    install({"afar": "plugin_g"}, {"plugin_g.py": PLUGIN})
    assert resolve(["afar"])[0].variant.title == "Mine"


# --- Refusing ---


def test_an_unknown_name_is_refused_with_near_ones():
    message = refusal("dcgan-smoth")
    assert "unknown variant 'dcgan-smoth': did you mean dcgan-smooth" in message
    assert all(name in message for name in BUILT_IN)


@pytest.mark.parametrize(
    "names", [["mlp", "mlp"], ["dcgan-smooth", "dcgan_smooth"], ["all", "mlp"]]
)
def test_a_variant_that_is_asked_for_twice_is_refused(names):
    assert "asked for twice" in refusal(*expand(names)[0])


def test_two_origins_of_a_name_stop_all(install):
    install({"mlp": "plugin_f:VARIANT"}, {"plugin_f.py": PLUGIN})
    with pytest.raises(UsageError, match=r"the variant name 'mlp' has two origins: .*plugin_f"):
        expand(["all"])


def test_a_file_with_the_name_of_a_built_in_variant_is_refused_with_both_origins(plugin_file):
    path = plugin_file(name="dcgan.py")
    message = refusal(str(path))
    assert str(path) in message
    assert str(VARIANTS / "dcgan.py") in message


def test_two_files_of_one_name_are_refused_with_both_origins(plugin_file, tmp_path):
    (tmp_path / "sub").mkdir()
    paths = [str(plugin_file()), str(plugin_file(name="sub/mine.py"))]
    message = refusal(*paths)
    assert all(path in message for path in paths)


def test_two_entry_points_of_one_name_are_refused_with_both_origins(install):
    install({"afar": "plugin_h:VARIANT"}, {"plugin_h.py": PLUGIN}, "first-dist")
    install({"afar": "plugin_i:VARIANT"}, {"plugin_i.py": PLUGIN}, "second-dist")
    message = refusal("afar")
    assert "first-dist" in message
    assert "second-dist" in message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_package_here", "ModuleNotFoundError: No module named"),
        ("x = 1\n\nraise RuntimeError('first\\nsecond')", "RuntimeError: first second (line 3)"),
        ("import sys\nsys.exit(3)", "SystemExit: 3 (line 2)"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("# coding: no-such-coding\n", "SyntaxError"),
        ("raise ValueError", "ValueError (line 1)"),
        ("variant = 1", "it defines no VARIANT"),
        ("VARIANT = {}", "its VARIANT is no ganbench.Variant: {}"),
        ("from ganbench import Variant as VARIANT", "its VARIANT is no ganbench.Variant: <class"),
        (PLUGIN.replace("Recipe(lr_g=0.125)", "{}"), "its recipe is no ganbench.Recipe: {}"),
        (
            PLUGIN.replace("lr_g=0.125", "lr_g=-1"),
            "ValidationError: 1 validation error for Recipe lr_g Value error, Input should be",
        ),
    ],
)
def test_a_broken_file_is_refused_with_its_path_and_the_reason(plugin_file, text, reason):
    path = plugin_file(text)
    message = refusal(str(path))
    assert message.startswith(f"variant {path} cannot be used: ")
    assert reason in message


def test_a_module_that_failed_is_not_kept(plugin_file):
    before = set(sys.modules)
    refusal(str(plugin_file("raise ValueError")))
    assert not [name for name in set(sys.modules) - before if "mine" in name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("./no/such/file.py", "No such file or directory"),
        ("./mine.txt", "ends in .py"),
        ("all.py", "is no name for a variant"),
        ("_mine.py", "is no name for a variant"),
        ("9 lives.py", "is no name for a variant"),
        ("folder.py", "Is a directory"),
        ("CON.py", "Windows keeps it"),
        ("aux.py", "Windows keeps it"),
        ("nul.x.py", "Windows keeps it"),  # also with an ending
        ("com1.py", "Windows keeps it"),
    ],
)
def test_a_path_that_is_no_variant_file_is_refused(
    plugin_file, tmp_path, monkeypatch, name, reason
):
    monkeypatch.chdir(tmp_path)
    for good in ("all.py", "_mine.py", "9 lives.py", "mine.txt", "CON.py", "aux.py", "nul.x.py",
                 "com1.py"):  # fmt: skip
        plugin_file(name=good)
    (tmp_path / "folder.py").mkdir()
    message = refusal(name)
    assert message.startswith(f"variant {name} cannot be used: ")
    assert reason in message


def test_a_broken_entry_point_is_refused_with_its_name_and_origin(install):
    install({"afar": "plugin_j:VARIANT"}, {"plugin_j.py": "raise OSError('no disk')"})
    assert re.fullmatch(
        r"variant 'afar', entry point plugin_j:VARIANT \(gan-plugins\) cannot be used: "
        r"OSError: no disk \(line 1\)",
        refusal("afar"),
    )


def test_a_broken_entry_point_does_not_stop_the_other_variants(install):
    install({"afar": "nowhere_at_all:VARIANT"})
    assert [found.name for found in resolve(["mlp"])] == ["mlp"]
    assert "nowhere_at_all" in expand(["all"])[1]["afar"]


def test_the_group_is_the_documented_one():
    assert registry.GROUP == "ganbench.variants"
