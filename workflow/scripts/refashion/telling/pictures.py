"""The garments that the page shows, as PNG data addresses."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from refashion.errors import UserError
from refashion.telling.cells import Analysis


@dataclass(frozen=True)
class Pictures:
    """Images as PNG data addresses: rows of (augmentation, garments), and garments by their index in the test set."""

    augmentations: list[tuple[str, list[str]]] = field(default_factory=list)
    garments: dict[int, str] = field(default_factory=dict)


def load(analysis: Analysis, data: Sequence[Path], examples: Path | None) -> Pictures:
    """The garments that the report shows, from the prepared data sets and the examples of augmentation (all .npz)."""
    own = next((path for path in data if path.stem == analysis["data"]["name"]), None)
    return Pictures(
        augmentations=_augmentations(examples) if examples else [],
        garments=_garments(own, [image["index"] for image in analysis["hardest"]["images"]]) if own else {},
    )


def _augmentations(path: Path) -> list[tuple[str, list[str]]]:
    """Rows of garments: as they are, then under each augmentation that changes any. Arrays [k, rows, columns], 0..1."""
    import numpy as np

    arrays = _arrays(path)
    originals = arrays.pop("originals", None)
    shown = {name: images for name, images in arrays.items() if not np.array_equal(images, originals)}
    rows = ({} if originals is None else {"originals": originals}) | shown
    return [(name, [png(image * 255) for image in images]) for name, images in rows.items()]


def _garments(path: Path, indices: Sequence[int]) -> dict[int, str]:
    images = _arrays(path, "test_images")["test_images"]
    return {index: png(images[index]) for index in indices if 0 <= index < len(images)}


def _arrays(path: Path, *names: str) -> dict[str, Any]:
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names or archive.files}
    except (KeyError, OSError, ValueError) as error:
        raise UserError(
            f"{path} holds no images that the report can show ({error}); delete it and run again."
        ) from error


def png(image: Any) -> str:
    """A grey image [rows, columns], 0..255, as a PNG data address, dark on light as on paper."""
    import numpy as np
    from PIL import Image

    stream = io.BytesIO()
    pixels = 255 - np.clip(np.rint(image), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(stream, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
