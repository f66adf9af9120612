"""What all processes of a run but the first one do: what the first one tells them, and no more."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ganbench.launch.failures import variant_code
from ganbench.machine.torch_settings import preserved_settings
from ganbench.training.session import BEGIN, END, PREPARE, SETTLE, STEP, Diverged

if TYPE_CHECKING:
    from ganbench.experiment.plan import Job
    from ganbench.launch.resources import Resources
    from ganbench.machine.ranks import Ranks
    from ganbench.training.session import Session

__all__ = ["follow", "obey"]


def follow(job: Job, resources: Resources, ranks: Ranks) -> None:
    """Train beside the first process until it says that training is over.

    No file is written here. Where training diverges, it does in all processes, and the first one
    says what comes of it.

    Args:
        job: What is run.
        resources: Where; nothing is shown.
        ranks: This process among the others.

    Raises:
        VariantFailure: The variant's code raised something.
        RankLost: Another process is gone.
    """
    word, _ = ranks.hear()
    if word != BEGIN:
        return
    stored = ranks.receive()
    session = resources.session(job)  # its images are in the cache by now
    session.restore(stored)
    with preserved_settings(), variant_code(job, but=(OSError,)):
        obey(session, ranks)


def obey(session: Session, ranks: Ranks) -> None:
    """Do with a session what the first process says, until it says that training is over."""
    session.state.train()
    while True:
        word, share = ranks.hear()
        if word == PREPARE:
            session.prepare(share)
        elif word == STEP:
            with suppress(Diverged):
                session.advance(share)
        elif word == SETTLE:
            session.settle()
        elif word == END:
            ranks.leave()
            return
