"""How one call to a real server can end, and what becomes of the turn: each forced once."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from holdfast.domain.wording import WORDING
from holdfast.infrastructure.tiers import keeper, lineup
from holdfast.infrastructure.tiers.patience import Patience
from holdfast.infrastructure.tiers.store import Stale
from tests.fire.evidence import Kept, of_tier
from tests.fire.healing import healed, retaken
from tests.fire.moments import MOMENTS, Moment
from tests.fire.places import places
from tests.fire.side_by_side import result_of, side_by_side
from tests.fire.witness import Outcome
from tests.fire.world import World, world
from tests.servers.fixtures import finished
from tests.servers.ground import Ground

HERE = WORDING["saved.here"]
ALONE = [moment for moment in MOMENTS if moment.name in {"stopped", "answer swallowed", "frozen"}]
LONG = 5.0
"""Seconds that a tier is given here: a busy machine shall not decide how a call ends."""


class Fixed(Patience):
    """A patience that is what it is."""

    def learn(self, took: float) -> None:
        """Nothing is learned."""


@dataclass(frozen=True)
class Met:
    """What came of one turn: how the call ended, who held it then, what the person read, and what is wrong at last."""

    ended: Outcome
    key: str
    there: Kept | None
    second: Kept | None
    texts: list[str]
    problems: list[str]


async def meet(moment: Moment, tiers: int, ground: Ground, folder: Path) -> Met:
    """Let somebody fill in everything, hurt the first tier, and let them save the machine."""
    folder.mkdir()  # noqa: ASYNC240 - a folder in memory
    async with (
        places(ground, tiers, network=moment.network, options=moment.options) as there,
        world(there, folder, people=1) as burning,
    ):
        [ada] = burning.people
        card = await ada.fills_in("Press 1")
        assert card is not None
        await burning.until_quiet()
        be_patient(burning, moment)
        there[0].outcomes.clear()
        async with moment.hurt(there[0]):
            for _ in range(moment.most - 1):
                await ada.says("Is it saved?")
                if there[0].outcomes:
                    break
            await ada.confirms(card)
            await ada.says("/addmachine")
            first = await of_tier(there[0]) if moment.there is not None else None
            second = await of_tier(there[1]) if tiers > 1 else None
            ended = there[0].outcomes[0]
        problems, _ = await healed(burning)
        texts = [text for life in burning.lives for text in life.messages.chats[ada.number]]
        return Met(ended, ada.sent[-2].dedup_key, first, second, texts, problems)


def be_patient(burning: World, moment: Moment) -> None:
    """Let every tier have all the time there is, but for one that will never answer."""
    for number, tier in enumerate(burning.bots[0].worker.service.lineup.tiers):
        if number or "time" not in moment.says:
            tier.patience = Fixed()
            tier.patience.seconds = LONG


@pytest.fixture(scope="module")
def met(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Met | BaseException]:
    """What came of each moment, with two tiers; of some also with one."""
    folder = tmp_path_factory.mktemp("fire")
    works = {one.name: partial(meet, one, 2, ground, folder / one.name) for one in MOMENTS}
    works |= {f"{one.name}, alone": partial(meet, one, 1, ground, folder / f"{one.name}, alone") for one in ALONE}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lineup, "BUDGET", 3 * LONG)
        patch.setattr(keeper, "LOOK_EVERY", 100 * LONG)  # so that a turn is the first to meet what happened
        return finished(side_by_side(works))


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.name)
def test_how_a_call_ends(moment: Moment, met: dict[str, Met | BaseException]) -> None:
    """A tier that certainly did not do it is told from one that may have done it, and the event stands once at last."""
    one = result_of(met[moment.name])

    assert type(one.ended) is moment.ends
    assert moment.says in str(one.ended)
    assert one.second is not None
    assert [event.dedup_key for event in one.second.events.values()].count(one.key) == 1
    if one.there is not None and moment.most == 1:
        assert [event.dedup_key for event in one.there.events.values()].count(one.key) == moment.there
    assert one.problems == []
    assert HERE not in "".join(one.texts)
    assert one.texts[-2].startswith("Saved")


@pytest.mark.parametrize("moment", ALONE, ids=lambda moment: moment.name)
def test_who_is_told_that_it_is_saved_is_told_where(moment: Moment, met: dict[str, Met | BaseException]) -> None:
    """With no tier that confirmed it, the one who saves reads that it is saved here only."""
    one = result_of(met[f"{moment.name}, alone"])

    assert type(one.ended) is moment.ends
    assert [HERE in text for text in one.texts] == [False] * (len(one.texts) - 2) + [True, False]
    assert one.problems == []


async def test_two_bots_and_one_person(ground: Ground, tmp_path: Path) -> None:
    """A turn that another bot's overtook is taken back and decided again: one event, one reply, one order."""
    async with places(ground) as there, world(there, tmp_path, bots=2, people=1) as burning:
        [ada] = burning.people
        await ada.fills_in("Press 1")
        problems, _ = await healed(burning)
        outcomes = [type(one) for place in there for one in place.outcomes]
        texts = [text for life in burning.lives for text in life.messages.texts]

        assert Stale in outcomes
        assert retaken(tmp_path) > 0
        assert problems == []
        assert len(texts) == len(ada.sent)
