"""analysis.json as the page reads it."""

from __future__ import annotations

import json
from pathlib import Path

from refashion.errors import UserError
from refashion.judging.columns import FORMAT
from refashion.telling.cells import Analysis


def read_analysis(path: Path) -> Analysis:
    """analysis.json of the layout that the templates read. (The analysis has checked it against its schema.)"""
    try:
        analysis = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is no JSON ({error.msg} in line {error.lineno}); delete it and run again.") from error
    if not isinstance(analysis, dict) or analysis.get("format") != FORMAT:
        raise UserError(f"{path} has not the layout {FORMAT} that this report reads; delete it and run again.")
    return analysis
