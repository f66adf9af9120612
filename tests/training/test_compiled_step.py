"""Steps that are compiled, captured, or of another number format, against the eager ones."""

from __future__ import annotations

import copy
import io
import math

import pytest
import torch
from doubles import FakeCard, tiny_spec, tiny_split, train_to_end

from ganbench.errors import ExecutionError
from ganbench.machine.device import Device, choose
from ganbench.training.calls import Batch
from ganbench.training.execution import EAGER, Execution
from ganbench.training.session import Session
from ganbench.training.state import TrainState
from ganbench.training.step import MEASURES, Batches, train_step
from ganbench.variant.budget import Budget
from ganbench.variant.definition import Losses, LossOutput
from ganbench.variant.registry import resolve

SPEC = tiny_spec(count=40)
CPU = torch.device("cpu")
COMPILED = Execution(compile=True)
CAPTURED = Execution(cuda_graphs=True)
HALF = Execution(precision="fp16")


def state_of(name: str = "mlp", execution: Execution = EAGER, **changes: object) -> TrainState:
    (found,) = resolve([name])
    small = {"generator_width": 4, "discriminator_width": 4, "image_size": 32, "batch_size": 8}
    recipe = found.variant.recipe.override({**small, **changes})
    return TrainState.create(found.variant, recipe, SPEC, CPU, 0, execution)


def session(
    name: str = "mlp",
    execution: Execution = EAGER,
    device: Device | None = None,
    **changes: object,
) -> Session:
    state = state_of(name, execution, **changes)
    where = choose("cpu") if device is None else device
    return Session(state, tiny_split(SPEC), SPEC, where, 0, execution)


def run(one: Session, steps: int) -> Session:
    train_to_end(one, Budget(steps, "steps"))
    return one


def learnt(one: Session) -> dict[str, torch.Tensor]:
    networks = {"g": one.state.generator, "d": one.state.discriminator, "a": one.state.sampler}
    return {
        f"{name}.{key}": values
        for name, network in networks.items()
        for key, values in network.state_dict().items()
    }


def assert_equal(one: Session, other: Session, tolerance: float = 0.0) -> None:
    found, expected = learnt(one), learnt(other)
    assert found.keys() == expected.keys()
    for key, values in found.items():
        torch.testing.assert_close(
            values, expected[key], atol=tolerance, rtol=tolerance, msg=lambda text, k=key: k + text
        )


def batch(state: TrainState, seed: int = 0) -> Batch:
    stream = torch.Generator().manual_seed(seed)
    count = state.recipe.batch_size
    real = torch.rand(count, 1, 32, 32, generator=stream) * 2 - 1
    return Batch(real, torch.randn(count, state.recipe.latent_dim, generator=stream))


# --- CUDA graphs ---


@pytest.mark.parametrize("name", ["mlp", "dcgan", "texthash"])
def test_a_captured_run_learns_what_an_eager_one_does(name):
    card = FakeCard()
    changes = {"ema_decay": 0.9, "d_steps": 2}
    captured = run(session(name, CAPTURED, card, **changes), 56)
    eager = run(session(name, **changes), 56)
    assert_equal(captured, eager)
    (graph,) = card.vendor.graphs
    assert graph.replays == 6  # the first 50 steps are measured, and so not captured
    assert captured.compile_seconds > 0
    assert eager.compile_seconds is None


def test_a_captured_run_in_half_precision_learns_what_an_eager_one_does():
    captured = run(session("mlp", Execution("fp16", cuda_graphs=True), FakeCard()), 56)
    eager = run(session("mlp", HALF), 56)
    assert_equal(captured, eager)
    assert captured.state.scaling.state_dict() == eager.state.scaling.state_dict()


def test_a_captured_step_is_not_split_and_measured_ones_do_not_stand_for_it():
    one = run(session("mlp", CAPTURED, FakeCard(), ema_decay=0.9), 60)
    assert set(one.phase_seconds) == {"data", "step"}


def test_a_step_that_waits_for_the_device_cannot_be_captured():
    one = session("mlp", CAPTURED, FakeCard())
    original = one.state.losses

    def d_loss(discriminator, real, fake):
        output = original.d_loss(discriminator, real, fake)
        return output * (2 if output.loss.item() > 1e9 else 1)

    one.state.losses = Losses(d_loss, original.g_loss)
    with pytest.raises(ExecutionError, match=r"cuda_graphs \(AssertionError: the host waits\)"):
        one.advance()


def test_no_step_makes_the_host_wait():
    state = state_of("dcgan", ema_decay=0.9)
    train_step(state, Batches([batch(state)]))
    card = FakeCard()
    card.capture(lambda: train_step(state, Batches([batch(state)]), measure=True))
    assert card.vendor.graphs[0].recorded.calls


def test_products_are_rounded_on_cuda_in_training_alone():
    seen = []
    one = session("mlp", device=FakeCard())
    original = one.state.losses

    def d_loss(discriminator, real, fake):
        seen.append(torch.get_float32_matmul_precision())
        return original.d_loss(discriminator, real, fake)

    one.state.losses = Losses(d_loss, original.g_loss)
    one.advance()
    assert set(seen) == {"high"}
    assert torch.get_float32_matmul_precision() == "highest"


# --- Number formats ---


@pytest.mark.parametrize("name", ["mlp", "dcgan", "texthash"])
def test_bfloat16_learns_nearly_what_float32_does_and_keeps_float32_weights(name):
    half, full = session(name, Execution("bf16")), session(name)
    formats = set()
    half.state.discriminator.register_forward_hook(lambda *found: formats.add(found[-1].dtype))
    run(half, 3)
    run(full, 3)
    assert formats == {torch.bfloat16}
    assert {values.dtype for values in half.state.generator.parameters()} == {torch.float32}
    assert half.history[-1]["d_loss"] == pytest.approx(full.history[-1]["d_loss"], rel=0.05)
    assert half.history[-1]["d_loss"] != full.history[-1]["d_loss"]


def test_scaled_gradients_are_unscaled_before_they_are_used():
    half, full = state_of("mlp", HALF), state_of("mlp")
    row = train_step(half, Batches([batch(half)]), measure=True)
    expected = train_step(full, Batches([batch(full)]), measure=True)
    for name in MEASURES:
        torch.testing.assert_close(row[name], expected[name], rtol=0.02, atol=1e-3)


def overflowing(state: TrainState, which: str) -> None:
    """Make one network's loss overflow float16's gradients, though itself it stays finite."""
    original = state.losses

    def large(output: LossOutput) -> LossOutput:
        return output * 1e38

    state.losses = Losses(
        (lambda *a: large(original.d_loss(*a))) if which == "d" else original.d_loss,
        (lambda *a: large(original.g_loss(*a))) if which == "g" else original.g_loss,
    )


@pytest.mark.parametrize(("which", "moved"), [("d", set()), ("g", {"discriminator"})])
def test_an_overflow_skips_the_step_and_halves_the_scale(which, moved):
    state = state_of("mlp", HALF)
    overflowing(state, which)
    before = copy.deepcopy(state.generator), copy.deepcopy(state.discriminator)
    scales = [state.scaling.discriminator.get_scale(), state.scaling.generator.get_scale()]
    train_step(state, Batches([batch(state)]))
    found = {
        name
        for name, old in zip(("generator", "discriminator"), before, strict=True)
        if not torch.equal(next(getattr(state, name).parameters()), next(old.parameters()))
    }
    assert found == moved
    expected = [scales[0] / 2, scales[1]] if which == "d" else [scales[0], scales[1] / 2]
    assert [
        state.scaling.discriminator.get_scale(), state.scaling.generator.get_scale()
    ] == expected  # fmt: skip


def test_a_skipped_step_does_not_skip_the_next():
    state = state_of("mlp", HALF)
    original = state.losses
    overflowing(state, "d")
    train_step(state, Batches([batch(state)]))
    state.losses = original
    before = copy.deepcopy(state.generator)
    train_step(state, Batches([batch(state)]))
    assert not torch.equal(next(state.generator.parameters()), next(before.parameters()))


def test_a_resumed_run_in_half_precision_goes_on_with_its_scales():
    whole = run(session("mlp", HALF), 8)
    first = session("mlp", HALF)
    overflowing(first.state, "d")
    run(first, 1)
    assert first.state.scaling.discriminator.get_scale() == 2.0**15
    file = io.BytesIO()
    torch.save(first.checkpoint(), file)
    file.seek(0)
    second = session("mlp", HALF)
    second.restore(torch.load(file, weights_only=True))
    assert second.state.scaling.state_dict() == first.state.scaling.state_dict()
    run(second, 8)
    assert whole.state.scaling.discriminator.get_scale() == 2.0**16
    assert second.state.scaling.discriminator.get_scale() == 2.0**15


# --- Compiling ---


class CompilerError(Exception):
    """Stands for what a compiler may raise."""


def test_a_compiler_that_fails_ends_the_run_in_one_line(monkeypatch):
    def fails(*_: object, **__: object) -> None:
        raise CompilerError("no working C++ compiler\nand a long tale")

    monkeypatch.setattr(torch, "compile", fails)
    one = session("mlp", COMPILED)
    with pytest.raises(ExecutionError, match=r"compile \(CompilerError: no working C") as caught:
        one.advance()
    assert "\n" not in str(caught.value)


@pytest.fixture
def eager_backend(monkeypatch):
    """torch.compile as ever, except that nothing is handed to the C++ compiler."""
    original, options = torch.compile, []

    def compiled(function, **given):
        options.append(given)
        return original(function, backend="aot_eager", fullgraph=True, **given)

    monkeypatch.setattr(torch, "compile", compiled)
    yield options
    torch.compiler.reset()


@pytest.mark.parametrize(("name", "precision"), [("mlp", "fp32"), ("texthash", "bf16")])
def test_networks_and_losses_are_translated_without_a_break(eager_backend, name, precision):
    changes = {"ema_decay": 0.9, "d_steps": 2}
    compiled = run(session(name, Execution(precision, compile=True), **changes), 15)
    eager = run(session(name, Execution(precision), **changes), 2)
    assert eager_backend == [{"dynamic": False}] * 3
    tolerance = 1e-5 if precision == "fp32" else 0.05
    for one, other in zip(compiled.history, eager.history, strict=False):
        for measure in MEASURES:
            assert one[measure] == pytest.approx(other[measure], rel=tolerance)
    assert compiled.compile_seconds > 0
    assert {"data", "discriminator", "generator", "average"} <= set(compiled.phase_seconds)


def test_compiling_is_not_charged_to_the_training_clock(eager_backend):
    one = run(session("mlp", COMPILED), 3)
    assert one.compile_seconds > max(one.clock.step_seconds)
    assert len(one.clock.step_seconds) == 3


@pytest.mark.slow
def test_a_resumed_run_compiles_again_and_adds_up(eager_backend):
    first = run(session("mlp", COMPILED), 2)
    second = session("mlp", COMPILED)
    second.restore(first.checkpoint())
    assert second.compile_seconds == first.compile_seconds
    run(second, 4)
    assert second.compile_seconds > first.compile_seconds
    assert_equal(second, run(session("mlp"), 4), 1e-5)


@pytest.mark.slow
def test_the_real_compiler_gives_the_same_training():
    compiled = run(session("dcgan", COMPILED), 5)
    eager = run(session("dcgan"), 5)
    for one, other in zip(compiled.history, eager.history, strict=True):
        assert one["d_loss"] == pytest.approx(other["d_loss"], rel=1e-3)
        assert math.isfinite(one["g_loss"])
