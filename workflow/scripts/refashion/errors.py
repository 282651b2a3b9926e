"""The one exception that a user should ever see, and what others say in one line."""


class UserError(Exception):
    """A mistake outside the program (config, data, files, machine), in one sentence: what, where, what is allowed."""


def first_line(error: BaseException) -> str:
    """What an exception says, in one line without a full stop; its name where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
