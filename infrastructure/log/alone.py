"""A worker without tiers shares with nobody."""

from holdfast.domain.ids import OriginId
from holdfast.domain.ports import Held


class Alone:
    """It answers for itself: what it once learned from tiers is not its own."""

    seconds = 0.0
    are_sure = False

    async def hold(self) -> Held:
        """Nothing is ever gained or lost."""
        return Held()

    def answers_for(self, _origin: OriginId) -> bool:
        """Somebody else does."""
        return False
