"""The layout of analysis.json that this version writes and reads."""

#: Its `format`.
FORMAT = 4
