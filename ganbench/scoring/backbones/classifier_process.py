"""Training a classifier in a process of its own, under conditions that give the same bits always.

The weights of a classifier are part of each score's protocol, and the last bits of a sum depend on
its order: on the number of threads, on the width of the processor's vectors, on the device. So a
classifier is always trained on the CPU, by one thread, with instructions that all x86-64 processors
of the last ten years have. Some of that can only be said before torch is loaded, hence the process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import ganbench
from ganbench.errors import DataError
from ganbench.scoring.backbones.classifier_plan import TrainingPlan, parts, send
from ganbench.visible import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.data.dataset import Dataset

__all__ = ["train_apart"]

_MODULE = "ganbench.scoring.backbones.classifier_training"
_CONDITIONS = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "COMPATIBLE",  # the only one that MKL keeps on processors of all makers
    "OPENBLAS_CORETYPE": "Haswell",
    "CUDA_VISIBLE_DEVICES": "",
}
_REPLACED = ("ATEN_", "DNNL_", "GOMP_", "KMP_", "MKL_", "OMP_", "ONEDNN_", "OPENBLAS_", "TORCH")


def train_apart(
    plan: TrainingPlan, dataset: Dataset, file: Path, report: Callable[[int], None]
) -> None:
    """Train a classifier in a process of its own, which ends with this call however it ends.

    The process gets no Ctrl-C: that of this one decides.

    Args:
        plan: What to train.
        dataset: The images.
        file: Where the process writes the classifier.
        report: Called with the number of steps that are done, but for the last few.

    Raises:
        DataError: The process failed.
    """
    command = [sys.executable, "-P", "-m", _MODULE, str(file)]
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(  # noqa: S603 - fixed arguments
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors,
                env=_environment(), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise DataError(
                f"the classifier of {dataset.spec.name} needs a process of its own, which cannot "
                f"be started ({error.strerror or error})"
            ) from error
        assert process.stdin is not None  # noqa: S101 - as it was asked for
        try:
            with suppress(BrokenPipeError):  # its status says why
                send(plan, parts(dataset, plan, report), process.stdin)
            status = process.wait()
        finally:
            process.kill()
            process.wait()
            with suppress(OSError):  # what was not sent yet
                process.stdin.close()
        if status:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").split("\n")
            last = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
            raise DataError(
                f"the classifier of {dataset.spec.name} could not be trained: its process ended "
                f"with status {status} ({quoted(last, 300)})"
            )


def _environment() -> dict[str, str]:
    """This process's environment, with all that the numbers depend on set to what is always so."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(_REPLACED)
    }
    root = str(Path(ganbench.__file__).parent.parent)
    path = os.pathsep.join(filter(None, [root, inherited.get("PYTHONPATH")]))
    return {**inherited, **_CONDITIONS, "PYTHONPATH": path}
