"""The one exception that a user should ever see, and what others say in one line."""

import unicodedata


class UserError(Exception):
    """A mistake outside the program (config, data, files, machine), in one sentence: what, where, what is allowed."""


def first_line(error: BaseException) -> str:
    """What an exception says, in one line without a full stop; its name where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def printable(text: str) -> str:
    """A text for a terminal: what would move its cursor or turn its writing round is shown by its number."""
    hidden = ("Cc", "Cf", "Cs")
    return "".join(
        one if one in "\n\t" or unicodedata.category(one) not in hidden else ascii(one)[1:-1] for one in text
    )
