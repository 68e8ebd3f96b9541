"""The people who use the bot."""

from collections.abc import Iterator

from holdfast.sandbox.errors import NotFound
from holdfast.sandbox.model import User
from holdfast.sandbox.state import State

# The first person's id; Telegram's ids are of this size.
FIRST_ID = 5_000_000_001


class People:
    """Everyone who was made, by id."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._people: dict[int, User] = {int(key): user for key, user in state.all("people", User)}
        self._last_id = max(self._people, default=FIRST_ID - 1)

    def __iter__(self) -> Iterator[User]:
        return iter(self._people.values())

    def __len__(self) -> int:
        return len(self._people)

    def find(self, person_id: int) -> User:
        """The person with this id."""
        if person_id not in self._people:
            raise NotFound(f"there is no person {person_id}")
        return self._people[person_id]

    def known(self, person_id: int) -> bool:
        """Whether there is such a person."""
        return person_id in self._people

    def add(self, person: User) -> None:
        """Let a person be."""
        self._people[person.id] = person
        self._last_id = max(self._last_id, person.id)
        self._state.put("people", person.id, person)

    def next_id(self) -> int:
        """An id that nobody has."""
        return self._last_id + 1

    def clear(self) -> None:
        """Forget everyone; ids are not given again."""
        for person_id in self._people:
            self._state.drop("people", person_id)
        self._people.clear()
