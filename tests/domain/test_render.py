import pytest

from holdfast.domain.event import Draft, Facts, Words
from holdfast.domain.flow import Flow, Flows, Step
from holdfast.domain.kinds import Kind
from holdfast.domain.render import owes_reply, render
from holdfast.domain.screen import Button, Screen
from holdfast.domain.wording import WORDING, say
from tests.domain.given import (
    ANSWERS,
    FLOWS,
    PERSON,
    Act,
    Worker,
    a_machine,
    buttons,
    conversation,
    edits,
    given,
    in_group,
    says,
    sends_photo,
    taps,
    up_to,
)
from tests.domain.reading import LONGEST, fault, markup_fault, plain

NASTY = "<b>&lt;a href='x'>&"
SAFE = "&lt;b&gt;&amp;lt;a href='x'&gt;&amp;"

wordy = Flow(
    name="wordy",
    command="wordy",
    title="Long words",
    intro="i" * 1000,
    done="d" * 900 + "{value}",
    steps=tuple(
        Step(name=f"s{place}", label="l" * 38 + f"{place:02}", prompt="p" * 1000, hint="h" * 500) for place in range(50)
    ),
)


@pytest.mark.parametrize("place", range(len(ANSWERS)))
def test_a_question_says_where_one_is(place: int) -> None:
    """Each question says which of how many it is, its field's name, what is asked, and how to find the answer."""
    name, _ = ANSWERS[place]
    story = given(*up_to(name))
    title = name.replace("_", " ").capitalize()

    assert f"<b>{place + 1} of 8 · {title}</b>\n{WORDING[f'machine.{name}']}" in story.text
    assert plain(WORDING.get(f"machine.{name}.hint", "")) in plain(story.text)


def test_the_first_question_greets() -> None:
    """The introduction stands above the first question."""
    story = given().when(says("/addmachine"))

    assert story.text.startswith(WORDING["add_machine.intro"])


@pytest.mark.parametrize(
    ("step", "labels"),
    [
        ("nickname", ["Cancel"]),
        ("manufacturer", ["Skip", "‹ Back", "Cancel"]),
        ("photo", ["Skip", "‹ Back", "Cancel"]),
    ],
)
def test_a_question_has_the_buttons_that_make_sense(step: str, labels: list[str]) -> None:
    """Skip where one may, Back where there is something before, Cancel always."""
    assert given(*up_to(step)).labels == labels


def test_the_card_has_a_button_for_everything() -> None:
    """The card saves, changes each field, goes back, and cancels."""
    changes = [f"✎ {name.replace('_', ' ').capitalize()}" for name, _ in ANSWERS]

    assert given(*up_to("confirm")).labels == ["✓ Save", *changes, "‹ Back", "Cancel"]


def test_an_answer_is_repeated_above_the_next_question() -> None:
    """A person sees how an answer was understood."""
    story = given(*up_to("nickname")).when(says("  Press   4 "))

    assert story.text.startswith("✓ Nickname: Press 4\n\n")


def test_a_field_asked_again_shows_what_it_holds() -> None:
    """The value at present stands where the hint stood."""
    story = given(*up_to("location")).when(says("/back"))

    assert say("question.now", value="S-1001") in story.text
    assert plain(WORDING["machine.serial_number.hint"]) not in story.text


def test_an_empty_field_asked_again_shows_its_hint() -> None:
    """Where nothing is held, the hint helps again."""
    story = given(*up_to("location"), says("/skip")).when(says("/back"))

    assert WORDING["machine.location.hint"] in story.text
    assert story.labels == ["Skip", "‹ Back", "Cancel"]


def test_what_was_skipped_is_a_dash_on_the_card() -> None:
    """An empty field is shown as empty."""
    story = given(says("/addmachine"), says("Press 4"), *[says("/skip")] * 6)

    assert story.text.count(": –") == 0
    assert story.text.count(":</b> –") == 6


@pytest.mark.parametrize("step", ["nickname", "manufacturer", "notes"])
def test_what_a_person_typed_is_never_markup(step: str) -> None:
    """Typed signs of HTML are shown as typed, in the echo, on the card and in the question asked again."""
    story = given(*up_to(step)).when(says(NASTY))
    assert SAFE in story.text

    story.when(says("/back"))
    assert SAFE in story.text
    for screen in story.worker.screens:
        assert markup_fault(screen.text) == ""


def test_a_saved_name_is_bold_and_escaped() -> None:
    """Only the bot's own markup stands around a name."""
    story = given(*a_machine(NASTY))

    assert f"<b>{SAFE}</b>" in story.text


def test_what_a_developer_declared_is_escaped_as_well() -> None:
    """A prompt or a hint of a flow is text, not markup."""
    story = given(says("/report"))
    assert "Where &lt;is&gt; it?" in story.text

    story.when(says("Hall 3")).when(says("1")).when(says("/skip"))
    assert "<i>In your own words &amp; at length.</i>" in story.text


def test_a_reply_that_has_nothing_to_say_is_none() -> None:
    """What the bot learns by itself, and a group that was answered, get no reply."""
    worker = Worker().hears(in_group("hello"))
    draft = Draft(kind=Kind.PHOTO_STORED, conversation_id=None, facts=Facts(), words=Words())

    assert owes_reply(worker.events[0])
    assert not owes_reply(worker.takes(2, in_group("hello")))
    assert not owes_reply(worker.appends(draft, 3))
    assert len(worker.screens) == 1


def test_a_photo_is_never_shown_by_its_files_name() -> None:
    """A file's id at the edge means nothing to a person."""
    worker = Worker().hears(*up_to("photo"), sends_photo("file-id"), taps("✎ Photo"), taps("Keep it"), taps("Save"))

    assert [screen.text for screen in worker.screens if "file-id" in screen.text] == []


@pytest.mark.parametrize("keep", [taps("Keep it"), says("/skip")])
def test_keeping_a_photo_says_so_without_a_caption(keep: Act) -> None:
    """A caption is mentioned when one was sent, not when a button was tapped."""
    story = given(*up_to("confirm"), taps("✎ Photo")).when(keep)

    assert say("kept", title="Photo", value=WORDING["card.photo"]) in story.text
    assert say("answered.photo.caption") not in story.text


LONG = "&😀" * 2500


def test_no_reply_is_longer_than_telegram_takes() -> None:
    """With fifty steps of the longest words and answers of any length, every screen still fits."""
    worker = Worker(Flows([wordy])).hears(says("/wordy"), *[says(LONG)] * 50)
    worker.hears(edits(2, LONG), taps("✎ " + "l" * 38 + "07"), says("/help"), says(LONG), says("/start"), taps("Save"))

    assert worker.events[-1].kind == Kind.CONFIRMED
    assert [fault(screen) for screen in worker.screens if fault(screen)] == []


def test_a_reply_that_takes_up_the_longest_question_fits() -> None:
    """The end of one flow and the question of another stand in one message."""
    other = wordy.model_copy(update={"name": "other", "command": "other", "steps": wordy.steps[:1]})
    flows = Flows([wordy, Flow.model_validate(other.model_dump())])
    worker = Worker(flows).hears(says("/wordy"), says(LONG), says("/back"), says("/other"), says(LONG), taps("Save"))

    assert worker.events[-1].facts.resumes
    assert fault(worker.screens[-1]) == ""


def test_a_shortened_value_says_so() -> None:
    """What is too long to be shown ends in an ellipsis; what was filed is whole."""
    story = given(says("/report"), says("Hall 3"), says("1"), says("/skip")).when(says("x" * 4096))

    assert "xxx…" in story.text
    assert story.worker.values()["story"] == "x" * 4096


def test_a_machines_card_is_never_shortened() -> None:
    """The longest answers the registration takes are all shown whole."""
    longest = ["n" * 100, "m" * 200, "o" * 200, "s" * 200, "l" * 200, "t" * 1000]
    story = given(says("/addmachine"), *map(says, longest)).when(sends_photo())

    assert story.step == "confirm"
    assert [value for value in longest if value not in story.text] == []
    assert len(plain(story.text)) <= LONGEST


def test_a_long_complaint_is_shortened() -> None:
    """A validator's sentence may repeat what was typed, however long that was."""
    story = given(says("/report")).when(says("broken" * 30 + "&" * 20))

    story.then(Kind.REJECTED, rule="value_error")
    assert fault(story.worker.screens[-1]) == ""


def test_each_screen_is_a_function_of_the_events() -> None:
    """Rendering the same event from the same state gives the same screen."""
    worker = Worker().hears(*up_to("confirm"))

    assert render(FLOWS, worker.state, worker.events[-1]) == (worker.screens[-1],)


@pytest.mark.parametrize(
    ("screen", "found"),
    [
        (Screen(text=" "), "it is empty"),
        (Screen(text="<b></b>"), "it is empty"),
        (Screen(text="x" * 4097), "it is 4097 characters long"),
        (Screen(text="&lt;" * 4096), ""),
        (Screen(text="<u>x</u>"), "its markup breaks at '<u>x</u>'"),
        (Screen(text="a & b"), "its markup breaks at '& b'"),
        (Screen(text="&quot;"), "its markup breaks at '&quot;'"),
        (Screen(text="<b>x</i>"), "it closes i where it is not open"),
        (Screen(text="x</b>"), "it closes b where it is not open"),
        (Screen(text="<b>x"), "it leaves ['b'] open"),
        (Screen(text="x", keyboard=((Button("y", ""),),)), "its buttons [Button(label='y', data='')] do not fit"),
        (Screen(text="x", keyboard=((Button("", "y"),),)), "its buttons [Button(label='', data='y')] do not fit"),
    ],
)
def test_the_reader_of_screens_finds_faults(screen: Screen, found: str) -> None:
    """The check that every other test leans on can fail."""
    assert fault(screen) == found


def test_buttons_of_every_conversation_carry_its_name() -> None:
    """A tap says which conversation it is for, so that an old screen moves nothing else."""
    worker = Worker().hears(*up_to("location"), says("/report"))
    [first, second] = ({one.data.partition(":")[0] for one in buttons(worker.screens[at])} for at in (4, 5))

    assert len(first) == len(second) == 1
    assert first != second
    assert worker.state.conversation(conversation(1)) is not None
    assert worker.state.chat_id == PERSON
