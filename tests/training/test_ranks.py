"""Two processes that share a run: what they do together is what one process does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from launch_doubles import display
from rank_doubles import Case, RowsTask, TrainTask, numbers_of, session, train

from ganbench.launch import process_pool
from ganbench.machine.own_rows import OwnRows
from ganbench.training.batches import DataOrder, Rows

# Plain gradient descent shows differences as they are; Adam's first steps have one length whatever
# a gradient's size, so that rounding of a vanishing one may turn a whole step around
SGD = {"optimizer": "sgd", "beta1": 0.0, "lr_g": 0.01, "lr_d": 0.01}
CASES = {
    "mlp": Case("mlp", SGD),
    "mlp, with Adam": Case("mlp", {"beta1": 0.5}),
    "mlp, streamed": Case("mlp", SGD, streamed=True),
    "wgan-gp": Case("wgan-gp", SGD),
    "wgan, clipped": Case("wgan", {"optimizer": "rmsprop", "lr_g": 1e-3, "lr_d": 1e-3}),
    "sngan": Case("sngan", SGD),
    "dcgan-diffaug": Case("dcgan-diffaug", SGD),
    "dcgan-ema": Case("dcgan-ema", SGD),
    "lsgan": Case("lsgan", SGD),
    "r3gan": Case("r3gan", SGD),
    "cgan": Case("cgan", SGD),
    "acgan": Case("acgan", SGD),
    "texthash": Case("texthash", SGD),
    "pacdcgan": Case("pacdcgan", SGD),
    "unrolled": Case("unrolled", {**SGD, "unroll_steps": 2}),
    "veegan": Case("veegan", SGD),
    "bigan": Case("bigan", SGD),
    "LeCam": Case("sngan", {**SGD, "lecam": 0.3, "lecam_start": 1}),
    "DRAGAN": Case("wgan-gp", {**SGD, "dragan": 1.0}),
    "consistency": Case("sngan", {**SGD, "consistency": 1.0}),
    "relativistic average": Case(
        "wgan-gp", {**SGD, "loss": "relativistic-average", "lr_g": 1.0, "lr_d": 1.0}
    ),
}


QUICK = ("mlp, with Adam", "unrolled")
OTHERS = tuple(name for name in CASES if name not in QUICK)


def trained_by_two(folder, *cases):
    """What two processes leave of cases, pair by pair: that of the first and of the second."""
    left = {}
    tasks = [TrainTask(rank, folder, cases) for rank in (0, 1)]
    process_pool.carry_out(
        tasks,
        display(),
        at_a_time=2,
        done=lambda task, value: left.__setitem__(task.rank, value),
    )
    pairs = list(zip(left[0], left[1], strict=True))
    return pairs if len(pairs) > 1 else pairs[0]


def by_name(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("ranks")
    pairs = trained_by_two(folder, *(CASES[name] for name in names))
    return dict(zip(names, pairs, strict=True))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    return by_name(tmp_path_factory, QUICK)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    return by_name(tmp_path_factory, OTHERS)


@pytest.mark.parametrize("name", QUICK)
def test_two_processes_leave_what_one_leaves(name, quick):
    check_equal(CASES[name], *quick[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_two_processes_leave_what_one_leaves_of_every_variant(name, others):
    check_equal(CASES[name], *others[name])


@pytest.mark.slow
def test_where_images_meet_in_a_share_the_processes_stay_equal(tmp_path):
    """BatchNorm of each share, its running statistics averaged; groups of four in each share."""
    for case in (Case("dcgan-ema", SGD, without_norms=False), Case("stylegan2", SGD)):
        folder = tmp_path / case.variant
        folder.mkdir()
        (first, history), (second, _) = trained_by_two(folder, case)
        for key, values in first.items():
            assert np.isfinite(values).all(), key
            assert np.array_equal(values, second[key]), key
        assert len(history) == case.steps


def check_equal(case, led, followed):
    begun = numbers_of(session(case).checkpoint())
    one = session(case)
    alone = numbers_of(train(one, case.steps))
    (first, history), (second, _) = led, followed
    assert sorted(first) == sorted(alone)
    travelled = np.sqrt(sum(np.square(alone[key] - begun[key]).sum() for key in alone))
    apart = np.sqrt(sum(np.square(alone[key] - first[key]).sum() for key in alone))
    assert apart < 1e-5 * travelled  # float32 rounds by 6e-8; sums of many terms make it 3e-6
    for key, values in first.items():
        assert np.array_equal(values, second[key]), key
    for row, same in zip(history, one.history, strict=True):
        for measure in ("d_loss", "g_loss", "d_real", "d_gradient_norm"):
            assert row[measure] == pytest.approx(same[measure], rel=1e-3, abs=1e-5)


def rows_of_two(tmp_path, whole, expression):
    """What two processes give, each of its half of the rows, joined."""
    left = {}
    halves = np.split(whole, 2)
    tasks = [RowsTask(rank, tmp_path / "meeting", halves[rank], expression) for rank in (0, 1)]
    process_pool.carry_out(
        tasks,
        display(),
        at_a_time=2,
        done=lambda task, value: left.__setitem__(task.rank, value),
    )
    return np.concatenate([left[0], left[1]])


def test_a_mean_over_the_whole_batch_has_first_and_second_derivatives(tmp_path):
    def second(rows, mean):
        """Derivative of the squared gradient of a loss that compares each row with the mean."""
        loss = (mean(rows.mean()) - rows).sigmoid().mean()
        (first,) = torch.autograd.grad(loss, rows, create_graph=True)
        squared = (first * len(rows)).square().mean() + mean((first * len(rows)).pow(3).mean())
        (gradient,) = torch.autograd.grad(squared, rows)
        return gradient * len(rows)

    whole = np.random.default_rng(0).normal(size=6)
    wanted = second(torch.from_numpy(whole).requires_grad_(), lambda values: values).numpy()
    source = (
        "(lambda loss: (lambda first: torch.autograd.grad("
        "(first * 3).square().mean() + whole_mean((first * 3).pow(3).mean()), rows)[0] * 3)"
        "(torch.autograd.grad(loss, rows, create_graph=True)[0]))"
        "((whole_mean(rows.mean()) - rows).sigmoid().mean())"
    )
    assert rows_of_two(tmp_path, whole, source) == pytest.approx(wanted, rel=1e-12)


def test_running_statistics_become_the_means_over_all_processes(tmp_path):
    whole = np.random.default_rng(0).normal(size=(6, 1))
    given = rows_of_two(
        tmp_path, whole,
        "(lambda norm: [norm(rows), average_statistics(state(norm, ranks)), norm.running_mean][-1])"
        "(torch.nn.BatchNorm1d(1, momentum=1.0).double())",
    )  # fmt: skip
    assert given == pytest.approx([whole.mean()] * 2, rel=1e-12)


def test_last_digits_are_those_of_the_first_process_and_more_is_said(tmp_path):
    """A card need not compute the same twice; a buffer of other images differs by far more."""
    given = rows_of_two(
        tmp_path, np.ones((2, 3)),
        "(lambda held: torch.cat([torch.tensor(ranks.take_over(held)).double(), held[0], held[1]]))"
        "([torch.nn.Parameter(torch.ones(2).double() * (1 + 1e-6 * ranks.rank)),"
        " torch.ones(1).double() * (1 + ranks.rank)])",
    )  # fmt: skip
    assert given.tolist() == [1.0, 1.0, 1.0, 1.0] * 2  # the second of them differs by more


@pytest.mark.parametrize(
    "draw",
    [
        "torch.rand(len(rows), 3)",
        "torch.randn((len(rows), 3))",
        "torch.randint(0, 100, (len(rows), 1))",
        "torch.rand_like(rows.detach())",
        "torch.empty(len(rows), 20).normal_()",
        "torch.nn.functional.dropout(rows, 0.5)",
        "torch.nn.Dropout(0.5)(rows)",
        "torch.bernoulli(torch.full_like(rows.detach(), 0.5))",
    ],
)
def test_random_rows_are_those_that_one_process_draws(draw):
    """Both shares of a batch of 8 rows, cut out of what is drawn for all of it."""
    whole = torch.linspace(1, 2, 16).reshape(8, 2)

    def drawn(rows):
        torch.manual_seed(3)
        return eval(draw, {"torch": torch, "rows": rows})

    shares = []
    for rank, rows in enumerate(whole.split(4)):
        with OwnRows(rank, 2, 4):
            shares.append(drawn(rows))
    assert torch.equal(torch.cat(shares), drawn(whole))


def test_random_numbers_that_are_not_of_rows_are_alike_in_all_processes():
    torch.manual_seed(3)
    wanted = torch.randn(1, 5)
    for rank in (0, 1):
        torch.manual_seed(3)
        with OwnRows(rank, 2, 4):
            assert torch.equal(torch.randn(1, 5), wanted)


def test_rows_of_a_multiple_of_the_batch_are_cut_part_by_part():
    """As a generator's batch that is twice as large, or real and generated images joined."""
    rows = torch.arange(16)  # two parts of 8, of which two processes have 4 each
    assert OwnRows(0, 2, 4).of(rows).tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
    assert OwnRows(1, 2, 4).of(rows).tolist() == [4, 5, 6, 7, 12, 13, 14, 15]


@pytest.mark.parametrize(("start", "size"), [(0, 4), (8, 4), (2, 7), (36, 12)])
def test_shares_of_the_data_order_make_up_its_batches(start, size):
    """The images of a process are its rows of one batch after the other."""
    whole, count = DataOrder(10, 3, torch.device("cpu")), 2
    for rank in range(count):
        own = DataOrder(10, 3, torch.device("cpu"), Rows(rank, count, 4))
        wanted = [whole.indices(batch * 8 + rank * 4, 4) for batch in range(14)]
        assert torch.equal(own.indices(start, size), torch.cat(wanted)[start : start + size])
