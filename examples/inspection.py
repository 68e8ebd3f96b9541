"""A safety inspection: a flow of one's own.

In this folder: HOLDFAST_FLOWS=inspection:inspection holdfast run
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import StringConstraints

from holdfast import Flow, Step

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]

inspection = Flow(
    name="inspection",
    command="inspect",
    title="Inspect a place",
    intro="A safety inspection, in five questions.",
    done="Thank you. The inspection of {value} is on file.",
    steps=(
        Step(name="place", prompt="What do you inspect?", type=Line),
        Step(
            name="condition",
            prompt="In which condition is it?",
            type=Literal["good", "worn", "dangerous"],
            hint="good, worn or dangerous",
        ),
        Step(name="inspected_on", prompt="On which day?", type=date, label="Day", hint="like 2026-03-31"),
        Step(name="remark", prompt="Is there anything to add?", type=Line, optional=True),
        Step(name="picture", prompt="Send a picture of it.", photo=True, optional=True),
    ),
)
