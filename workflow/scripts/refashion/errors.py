"""The one exception that a user should ever see."""


class UserError(Exception):
    """A mistake outside the program (config, data, files, machine), in one sentence: what, where, what is allowed."""
