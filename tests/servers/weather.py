"""What a proxy does to the bytes that pass."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

Then = Literal["cut", "hang"]


@dataclass
class Trap:
    """The next execution of a statement with this in it is run, and its answer is never seen."""

    text: str
    then: Then

    def catches(self, statements: list[str]) -> bool:
        """Tell whether it is sprung; letters' case does not matter."""
        return any(self.text.lower() in statement.lower() for statement in statements)


@dataclass
class Weather:
    """The state that all links of a proxy share."""

    to_server: float = 0.0
    """Seconds that each byte takes to the server."""

    to_client: float = 0.0
    """Seconds that each byte takes back."""

    flows: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared, bytes are kept on their way, as a network keeps them that is cut in the middle: they arrive late."""

    trap: Trap | None = None

    sprung: int = 0
    """How many answers were swallowed."""
