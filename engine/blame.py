"""What an operator may read of a failure: its type and place, never its message, in which a person's words may be."""

from traceback import extract_tb


def where(error: BaseException) -> str:
    """Name an error's type and the lines it passed through, innermost last."""
    frames = extract_tb(error.__traceback__)[-5:]
    path = " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__} at {path}"
