"""The update order: Telegram's numbering, and the epoch that tells one numbering from the next."""

import asyncio

from holdfast.domain.inbound import update_order
from holdfast.domain.ports import Log

_SILENCE = 7 * 24 * 3600 * 1_000_000
_UPDATE_BITS = (1 << 40) - 1


class Orders:
    """Places updates. After seven silent days Telegram may count anew; a lower number then opens an epoch."""

    def __init__(self, log: Log, epoch: int, last_ots: int, last_received_at: int) -> None:
        """Go on from what the log knows; times in microseconds since 1970."""
        self._log = log
        self._epoch = epoch
        self._last_update = last_ots & _UPDATE_BITS if last_ots >= 0 else 0
        self._last_at = last_received_at
        self._beginning = asyncio.Lock()

    async def of(self, update_id: int, received_at: int) -> int:
        """Give an update's order; a new epoch is remembered before it is used."""
        if self._counts_anew(update_id, received_at):
            await self._begin(update_id, received_at)
        self._last_update = max(self._last_update, update_id)
        self._last_at = max(self._last_at, received_at)
        return update_order(self._epoch, update_id)

    def _counts_anew(self, update_id: int, received_at: int) -> bool:
        return update_id < self._last_update and received_at - self._last_at > _SILENCE

    async def _begin(self, update_id: int, received_at: int) -> None:
        """Open an epoch, once: others that came at the same time wait, and then find it open."""
        async with self._beginning:
            if self._counts_anew(update_id, received_at):
                await self._log.remember("update_epoch", str(self._epoch + 1))
                self._epoch += 1
                self._last_update = update_id
                self._last_at = received_at
