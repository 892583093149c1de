"""An image file, as it goes to a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """A file and what its first bytes say it is: `format` is png, jpeg, gif or webp."""

    data: bytes
    format: str

    @property
    def mime_type(self) -> str:
        """As in `image/png`."""
        return f"image/{self.format}"
