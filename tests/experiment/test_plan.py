"""From flags and a suite file to jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from ganbench.errors import UsageError
from ganbench.experiment import plan
from ganbench.experiment import suite as suites
from ganbench.training.execution import Execution

NOWHERE = Path("nowhere")
PUBLISHED = Path(__file__).parents[2] / "docs" / "suites"


def make(**values: object) -> plan.Plan:
    suite = suites.Suite.model_validate({"variants": "mlp", "dataset": "digits", **values})
    return plan.make(suite, device="cpu", data_root=NOWHERE)


def suite_file(folder: Path, text: str) -> Path:
    path = folder / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("1", (0,)), ("3", (0, 1, 2)), ("0,7,9", (0, 7, 9)), ("7,", (7,)), ("0, 7", (0, 7))],
)
def test_seeds_are_a_count_or_a_list(text, seeds):
    assert suites.parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["0", "-1", "x", "1,1", "1.5", "", "²", ",", "1,,2"])
def test_other_seeds_are_refused(text):
    with pytest.raises(UsageError, match="seed"):
        suites.parse_seeds(text)


def test_jobs_are_variants_times_seeds():
    made = make(variants="mlp,dcgan", seeds="2")
    assert [(job.variant, job.seed) for job in made.jobs] == [
        ("mlp", 0), ("dcgan", 0), ("mlp", 1), ("dcgan", 1),
    ]  # fmt: skip


def test_all_leaves_out_a_broken_plugin_and_says_so(install):
    install({"awry": "plugin_h:VARIANT"}, {"plugin_h.py": "VARIANT = 3"})
    made = make(variants="all")
    assert {"mlp", "dcgan", "texthash"} <= {job.variant for job in made.jobs}
    (note,) = [line for line in made.notes if "awry" in line]
    assert note.startswith("left out: variant 'awry'")
    assert "no ganbench.Variant" in note
    with pytest.raises(UsageError, match=r"no ganbench\.Variant"):
        make(variants="mlp,awry")


def test_a_setting_for_one_variant_wins_over_one_for_all():
    made = make(variants="mlp,dcgan", set=["lr_g=1e-3", "dcgan.lr_g=5e-4", "mlp.budget=3epochs"])
    mlp, dcgan = made.jobs
    assert (mlp.recipe["lr_g"], dcgan.recipe["lr_g"]) == (1e-3, 5e-4)
    assert str(mlp.budget) == "3epochs"


def test_the_budget_is_the_flags_and_else_the_recipes():
    assert str(make().jobs[0].budget) == "200epochs"
    assert str(make(budget="20s").jobs[0].budget) == "20s"


def test_without_a_dataset_each_variant_takes_its_own():
    suite = suites.Suite(variants=("mlp", "dcgan"))
    made = plan.make(suite, device="cpu", data_root=NOWHERE)
    assert [job.spec.name for job in made.jobs] == ["mnist", "cifar10"]
    assert made.topic == "cifar10-mnist"
    assert [job.image_size for job in made.jobs] == [28, 64]
    assert not any(job.notes for job in made.jobs)


def test_the_topic_of_a_folder_can_be_copied_to_any_system(tmp_path):
    folder = tmp_path / 'a:b<c>|"*?\x1b'
    for name in ("x", "y"):
        (folder / name).mkdir(parents=True)
        for index in range(10):
            Image.new("L", (8, 8), index).save(folder / name / f"{index}.png")
    topic = make(dataset=f"imagefolder:{folder}").topic
    assert topic.startswith("a-b-c")
    assert not set(topic) & set('<>:"/\\|?*\x1b')


def test_runs_of_variants_that_differ_only_by_case_have_unlike_folders(tmp_path):
    source = (Path(plan.__file__).parents[2] / "variants" / "mlp.py").read_text(encoding="utf-8")
    for name in ("mine", "Mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.py").write_text(source, encoding="utf-8")
    made = make(variants=",".join(str(tmp_path / name / f"{name}.py") for name in ("mine", "Mine")))
    assert [job.variant for job in made.jobs] == ["mine", "Mine"]
    assert len({job.id.lower() for job in made.jobs}) == 2


def test_a_dataset_much_smaller_than_the_recipes_own_changes_the_recipe_and_the_plan_says_so():
    (job,) = make(variants="dcgan-smooth").jobs
    assert (job.image_size, job.recipe["batch_size"]) == (16, 32)
    assert "image_size 16 instead of 64" in job.notes[0]
    assert "batch_size 32 instead of 1024" in job.notes[0]


def test_a_number_that_was_set_is_never_changed():
    (job,) = make(variants="dcgan-smooth", set=["image_size=64", "batch_size=512"]).jobs
    assert (job.image_size, job.recipe["batch_size"]) == (64, 512)
    assert job.notes == ()


def test_the_id_changes_with_all_that_decides_the_numbers_and_with_nothing_else():
    first = make().jobs[0].id
    assert make().jobs[0].id == first
    assert make(sample_every="2steps", jobs=2, out="x").jobs[0].id == first
    assert make(precision="fp32", compile=False, cuda_graphs=False).jobs[0].id == first
    others = [
        make(budget="3s"),
        make(set=["lr_g=1"]),
        make(dataset="mnist"),
        make(seeds="5,6"),
        make(backbone="classifier"),
        make(precision="bf16"),
        make(compile=True),
    ]
    ids = {first, *(other.jobs[0].id for other in others)}
    assert len(ids) == 8


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"variants": ""}, "no variant was named: give --variants"),
        ({"variants": "dcgna"}, "unknown variant 'dcgna': did you mean dcgan"),
        ({"dataset": "mnits"}, "unknown dataset 'mnits': did you mean mnist"),
        ({"set": ["lrg=1"]}, "unknown recipe key 'lrg': did you mean lr_g"),
        ({"set": ["lr_g"]}, "give KEY=VALUE"),
        ({"set": ["dcgan.lr_g=1"]}, "unknown variant in --set 'dcgan'"),
        ({"set": ["lr_g=-1"]}, "lr_g=-1 is not allowed: Input should be greater than 0"),
        ({"set": ["batch_size=many"]}, "batch_size=many is not allowed"),
        ({"budget": "20"}, "give a number and a unit"),
        ({"budget": "20lightyears"}, "unknown unit 'lightyears'"),
        ({"variants": "dcgan", "set": ["image_size=48"]}, "power of two of at least 8"),
        ({"dataset": "imagefolder:/not/there"}, "/not/there"),
        ({"precision": "fp16"}, "fp16 needs a CUDA device, and this is cpu.*give bf16 or fp32"),
        ({"cuda_graphs": True}, "--cuda-graphs needs a CUDA device, and this is cpu"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_one_line(values, message):
    with pytest.raises(UsageError, match=message) as caught:
        make(**values)
    assert "\n" not in str(caught.value)


def test_cuda_can_do_what_the_cpu_cannot():
    suite = suites.Suite(variants=("mlp",), precision="fp16", cuda_graphs=True)
    (job,) = plan.make(suite, device="cuda", data_root=NOWHERE).jobs
    assert job.execution == Execution("fp16", cuda_graphs=True)


def test_half_precision_needs_an_optimizer_that_skips_a_step():
    suite = suites.Suite(variants=("mlp", "wgan"), precision="fp16")
    with pytest.raises(UsageError, match=r"wgan: --precision fp16 .*optimizer=rmsprop.*adam"):
        plan.make(suite, device="cuda", data_root=NOWHERE)


def test_a_compiled_run_is_announced():
    assert "compiled first" in make(compile=True).jobs[0].notes[-1]


def test_a_suite_file_says_what_the_flags_say_and_flags_win(tmp_path):
    path = suite_file(
        tmp_path,
        "variants: [mlp, dcgan]\ndataset: digits\nseeds: [3, 4]\nbudget: 5s\n"
        "set: {lr_g: 0.001, dcgan.ema_decay: 0.9}\n",
    )
    suite = suites.read_suite(path, {"budget": "7s"})
    assert suite.variants == ("mlp", "dcgan")
    assert suites.parse_seeds(suite.seeds) == (3, 4)
    assert suite.set == ("lr_g=0.001", "dcgan.ema_decay=0.9")
    assert suite.budget == "7s"
    joined = suites.read_suite(path, {"set": ("lr_g=0.5",)})
    assert suites.parse_settings(joined.set, ["dcgan"])["dcgan"] == {
        "lr_g": "0.5",
        "ema_decay": "0.9",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("varaints: mlp", "unknown suite key 'varaints': did you mean variants"),
        ("- mlp", "must hold keys and values"),
        ("variants: [mlp", "is not valid YAML"),
        ("variants: mlp\njobs: many", "jobs: 'many' is not allowed"),
        ("variants: mlp\nbackbone: vgg", "backbone: 'vgg' is not allowed"),
    ],
)
def test_a_wrong_suite_file_is_refused_in_one_line_that_names_it(tmp_path, text, message):
    path = suite_file(tmp_path, text)
    with pytest.raises(UsageError, match=message) as caught:
        suites.read_suite(path, {})
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_fewer_variants_than_a_suite_file_names_leave_out_its_settings_of_the_others(tmp_path):
    path = tmp_path / "suite.yaml"
    path.write_text(
        "variants: mlp,wgan-gp\nset:\n  wgan_gp.lr_g: 1e-4\n  mlp.lr_g: 2e-4\n  lr_d: 3e-4\n"
    )
    assert suites.read_suite(path, {"variants": "mlp"}).set == ("mlp.lr_g=2e-4", "lr_d=3e-4")
    both = suites.read_suite(path, {"variants": "mlp,lsgan", "set": ("dcgan.lr_g=1",)}).set
    assert both == ("mlp.lr_g=2e-4", "lr_d=3e-4", "dcgan.lr_g=1")  # refused where it is read


def test_fewer_variants_than_all_leave_out_the_settings_of_the_others(tmp_path):
    path = suite_file(
        tmp_path, "variants: all\nset: {dcgan-smooth.lr_g: 1, dcgan.lr_g: 2, none.lr_g: 3}\n"
    )
    left = suites.read_suite(path, {"variants": "dcgan"})
    assert left.set == ("dcgan.lr_g=2", "none.lr_g=3")
    with pytest.raises(UsageError, match="unknown variant in --set 'none'"):
        plan.make(left, device="cpu", data_root=NOWHERE)
    assert len(suites.read_suite(path, {"variants": "all"}).set) == 3


def test_a_suite_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"none.yaml cannot be read"):
        suites.read_suite(tmp_path / "none.yaml", {})


def test_a_refusal_by_any_builder_names_the_variant(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        '"""A variant whose further network refuses a number."""\n'
        "from torch import nn\n"
        "import ganbench\n"
        "from ganbench import losses, networks\n\n"
        "def helper(recipe, dataset):\n"
        "    if recipe.latent_dim != 100:\n"
        "        raise ganbench.UsageError('latent_dim must be 100')\n"
        "    return nn.Linear(1, 1)\n\n"
        "VARIANT = ganbench.Variant('t', 'p', ganbench.Recipe(), networks.dcgan_generator,\n"
        "    networks.dcgan_discriminator, losses.bce,\n"
        "    networks={'helper': ganbench.Network(helper, 'none')})\n"
    )
    asked = suites.read_suite(
        None, {"variants": str(file), "dataset": "digits", "set": ["latent_dim=7"]}
    )
    with pytest.raises(UsageError, match=r"^mine: latent_dim must be 100$"):
        plan.make(asked, device="cpu", data_root=tmp_path)


def test_a_suite_file_finds_the_variants_that_lie_beside_it(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("", encoding="utf-8")
    path = suite_file(tmp_path, "variants: dcgan, ./mine.py, ./elsewhere.py")
    monkeypatch.chdir(tmp_path.parent)
    read = suites.read_suite(path, {})
    assert read.variants == ("dcgan", str(tmp_path / "mine.py"), "./elsewhere.py")
    assert suites.read_suite(path, {"variants": ("./mine.py",)}).variants == ("./mine.py",)


def test_the_suite_of_stacked_mnist_plans_six_variants_that_differ_as_it_says():
    path = Path(__file__).parents[2] / "docs" / "suites" / "stacked-mnist.yaml"
    made = plan.make(suites.read_suite(path, {}), device="cpu", data_root=NOWHERE)
    assert len(made.jobs) == 18
    assert made.notes == ()
    recipes = {job.variant: job.recipe for job in made.jobs}
    assert list(recipes) == ["dcgan", "pacdcgan", "wgan-gp", "lsgan", "rpgan-r1", "rpgan-r1-r2"]
    for job in made.jobs:
        assert (job.spec.name, str(job.budget)) == ("stacked-mnist", "50epochs")
        assert job.recipe.items() >= {
            "network": "dcgan", "image_size": 32, "generator_width": 64, "discriminator_width": 64,
            "latent": "uniform", "latent_dim": 100, "batch_size": 64, "lr_g": 2e-4, "lr_d": 2e-4,
            "beta1": 0.5, "beta2": 0.999, "d_steps": 1, "g_steps": 2,
        }.items()  # fmt: skip
    pairs = {"rpgan-r1": ("rpgan-r1-r2", {"r2"}), "dcgan": ("pacdcgan", {"packing"})}
    for one, (other, differing) in pairs.items():
        assert {
            key for key, value in recipes[one].items() if recipes[other][key] != value
        } == differing
    assert {name for name, recipe in recipes.items() if recipe["d_norm"] == "none"} == {
        "wgan-gp", "rpgan-r1", "rpgan-r1-r2",
    }  # fmt: skip


def test_variants_that_know_the_class_take_a_thousand_of_them():
    made = make(variants="cgan,acgan,texthash", dataset="stacked-digits")
    assert [len(job.spec.class_names) for job in made.jobs] == [1000] * 3


@pytest.mark.parametrize(
    ("backbone", "is_unused"), [("classifier", True), ("auto", True), ("inception", False)]
)
def test_weights_that_no_run_uses_are_named(backbone, is_unused):
    """The digits are grey, so that `auto` takes the classifier."""
    notes = make(dataset="digits", backbone=backbone, inception_weights="weights.pth").notes
    assert is_unused == any("--inception-weights has no effect" in note for note in notes)


@pytest.mark.parametrize("file", sorted(PUBLISHED.glob("*.yaml")), ids=lambda file: file.stem)
def test_each_suite_of_the_documentation_is_a_plan(file):
    flags = {"set": ("batch_size=2",)}  # for the memory of any machine
    suite = suites.read_suite(file, flags)
    if suite.dataset is None:
        suite = suites.read_suite(file, {**flags, "dataset": "mnist"})
    assert plan.make(suite, device="cpu", data_root=NOWHERE).jobs


def test_the_suite_of_narrow_images_has_all_variants_and_gives_dcgans_the_weights_of_the_paper():
    suite = suites.read_suite(PUBLISHED / "narrow-images.yaml", {"dataset": "mnist"})
    jobs = plan.make(suite, device="cpu", data_root=NOWHERE).jobs
    assert len({job.variant for job in jobs}) * 3 == len(jobs) == 63
    assert {job.recipe["image_size"] for job in jobs if job.variant != "mlp"} == {32}
    of_dcgans = {job.variant for job in jobs if job.recipe.get("network") == "dcgan"}
    drawn = {job.variant for job in jobs if job.recipe["initial_weights"] == "normal"}
    assert of_dcgans == drawn
