"""How close to the machine's limit does ganbench train? Peak and step in turns, in one process.

The arithmetic limit is the rate at which all of a step's time would go into matrix products and
convolutions, as fast as the best product that was measured in the same round: square matrices of
several sizes, and one convolution of a DCGAN's shape, whose share stands beside it. The operations
are counted over one real step, both networks, forward and backward. The step is that of a run
(`Session.advance`), data included.

    python benchmarks/limit.py --variant dcgan --rounds 7 --json
    python benchmarks/limit.py --variant dcgan-smooth --rounds 3 --steps 1
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import flags
import typer
from command import Columns, run_variants
from measuring import described, range_text, spread
from torch.profiler import ProfilerActivity, profile
from turns import steps_in, take
from workloads import Workload

from ganbench.machine.device import Device
from ganbench.throughput.flops import count
from ganbench.throughput.peak import measure_machine
from ganbench.training.step import train_step

if TYPE_CHECKING:
    from ganbench.throughput.flops import Work
    from ganbench.throughput.peak import Machine
    from ganbench.training.session import Session

_WARMUP_STEPS = 2
_PROFILED_STEPS = 2
_OPERATORS_SHOWN = 12


def approach(
    work: Workload,
    device: Device,
    *,
    rounds: Annotated[int, typer.Option(min=3, help="Turns of the peak and of the step.")] = 7,
    steps: flags.Steps = 0,
    seconds: flags.Seconds = 5,
    peak_seconds: Annotated[
        float, typer.Option(min=0, help="Seconds for each product in each round.")
    ] = 0.5,
) -> dict[str, Any]:
    """Measure which share of the arithmetic limit a training step reaches."""
    session = work.session(device)
    warm = take(session, _WARMUP_STEPS, device)
    steps = steps or steps_in(seconds, warm)
    batches = session.batches()
    counted = count(lambda: train_step(session.state, batches))
    flops = counted.flops / session.images_a_step

    machines, rates = [], []
    for _ in range(rounds):
        machines.append(measure_machine(device, seconds=peak_seconds))
        session.advance()  # allocates again the memory that was released after the products
        rates.append(take(session, steps, device).images_per_second)
    profiled = _profile(session, counted)
    session.clock.pause()

    def over(peaks: list[float]) -> dict[str, float]:
        return spread([rate * flops / peak for rate, peak in zip(rates, peaks, strict=True)])

    peaks = [machine.flops_per_second for machine in machines]
    return {
        **described(work),
        "rounds": rounds,
        "steps_a_turn": steps,
        "flops_per_image": flops,
        "bytes_per_image_estimated": counted.bytes_moved / session.images_a_step,
        "images_per_second": spread(rates),
        "peak_flops": spread(peaks),
        "limit_images_per_second": spread([peak / flops for peak in peaks]),
        "share": over(peaks),
        "share_of_convolution": over([machine.products["convolution"] for machine in machines]),
        **profiled,
        "turns": [
            _turn(machine, rate, flops) for machine, rate in zip(machines, rates, strict=True)
        ],
    }


def _turn(machine: Machine, rate: float, flops: float) -> dict[str, Any]:
    return {
        "products": machine.products,
        "bytes_per_second": machine.bytes_per_second,
        "images_per_second": rate,
        "share": rate * flops / machine.flops_per_second,
    }


def _profile(session: Session, counted: Work) -> dict[str, Any]:
    """How the time of a step is divided between products and all else, by PyTorch's profiler."""
    device = session.device
    activities = [ProfilerActivity.CPU]
    if device.kind == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as profiler:
        take(session, _PROFILED_STEPS, device)
    where = "device" if device.kind == "cuda" else "cpu"
    events = profiler.key_averages()
    own = {event.key: getattr(event, f"self_{where}_time_total") for event in events}
    total = sum(own.values())
    products = {item.name.replace(".", "::") for item in counted.operators if item.flops}
    inside = sum(getattr(event, f"{where}_time_total") for event in events if event.key in products)
    longest = sorted(own, key=lambda name: -own[name])[:_OPERATORS_SHOWN]
    return {
        "time_share_of_products": inside / total,
        "time_share_by_operator": {name: own[name] / total for name in longest},
    }


COLUMNS: Columns = {
    "variant": lambda row: row["variant"],
    "batch": lambda row: f"{row['batch_size']:,} at {row['image_size']}",
    "rounds × steps": lambda row: f"{row['rounds']} × {row['steps_a_turn']}",
    "GFLOP per image": lambda row: f"{row['flops_per_image'] / 1e9:,.3g}",
    "peak GFLOP/s": lambda row: f"{row['peak_flops']['median'] / 1e9:,.0f}",
    "limit images/s": lambda row: f"{row['limit_images_per_second']['median']:,.1f}",
    "images/s": lambda row: f"{row['images_per_second']['median']:,.1f}",
    "share of the limit": lambda row: range_text(row["share"], ".0%"),
    "of the convolution": lambda row: range_text(row["share_of_convolution"], ".0%"),
    "time in products": lambda row: f"{row['time_share_of_products']:.0%}",
}

if __name__ == "__main__":
    run_variants(
        approach,
        variants=["dcgan"],
        title="the training step against the arithmetic limit",
        columns=COLUMNS,
        remark="median (lowest to highest of the rounds) · random images, data included",
    )
