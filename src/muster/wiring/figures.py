"""Where Prometheus asks an installation (E-42)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from muster.kernel.errors import MusterError
from muster.metrics.figures import keep_in, told_at
from muster.wiring.configuration import Configuration


@contextmanager
def figures_of(configuration: Configuration, *, anew: bool) -> Iterator[None]:
    """While the block runs. `anew`: nobody else counts in this home. `address_taken` names the setting."""
    if not configuration.metrics:
        yield
        return
    keep_in(configuration.figure_directory, anew=anew)
    host, _, port = configuration.metrics.rpartition(":")
    with ExitStack() as serving:
        try:
            serving.enter_context(told_at(host.strip("[]"), int(port)))
        except OSError as error:
            message = (
                f"{configuration.metrics} cannot be listened on ({error.strerror}). Set MUSTER_METRICS to another."
            )
            raise MusterError(message, code="address_taken") from error
        yield
