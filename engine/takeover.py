"""Holding leases: a worker answers for itself, and for one that was silent for too long until that comes back."""

import logging

from holdfast.domain.ports import Clock, Held, Leases
from holdfast.engine.pacing import Pacing
from holdfast.engine.recovery import Recovery, Resumable

logger = logging.getLogger("holdfast.engine")
EVERY = 2.0
"""Seconds after which leases are held again: several times within one."""


class Takeover:
    """Holds leases for as long as the worker runs; what is owed for those that were gained is taken up."""

    def __init__(  # noqa: PLR0913 - what it is wired to
        self,
        leases: Leases,
        recovery: Recovery,
        duties: list[Resumable],
        clock: Clock,
        *,
        pacing: Pacing | None = None,
        every: float = EVERY,
    ) -> None:
        """Hold these leases; the duties are what an origin may owe. The pace is shared with all workers there are."""
        self._pacing = pacing
        self._leases = leases
        self._recovery = recovery
        self._duties = duties
        self._clock = clock
        self._every = every

    async def begin(self) -> None:
        """Hold the leases for the first time. Who answered for this worker meanwhile gets the time to hear of it."""
        if (await self._hold()).was_away:
            await self._clock.sleep(self._every)

    async def run(self) -> None:
        """For ever: hold them again in time, and take up what is gained."""
        while True:
            await self._clock.sleep(self._every)
            if (await self._hold()).gained:
                await self._recovery.resume(self._duties)

    async def _hold(self) -> Held:
        held = await self._leases.hold()
        if self._pacing is not None:
            self._pacing.share(held.workers)
        for origin in sorted(held.gained):
            logger.info("answers for the worker %s, which is silent", origin.hex()[-8:])
        for origin in sorted(held.lost):
            logger.info("answers for the worker %s no longer", origin.hex()[-8:])
        return held
