"""The picture itself: a ground that runs from one colour to another, a few discs, and a label that tells what it is."""

from __future__ import annotations

import hashlib
import textwrap

import numpy as np
import numpy.typing as npt

from gateway.local.invoke.images import font

Pixels = npt.NDArray[np.uint8]

_DISCS = 5
_LABEL_WIDTH = 40  # letters in a line of the label
_PROMPT = 110  # characters of the prompt that are shown


def draw(width: int, height: int, *, model: str, prompt: str, seed: int, source: bytes = b"") -> Pixels:
    """Rows of pixels of three bytes: red, green, blue. `source` is the picture that it is said to be made from."""
    chance = _chance(prompt, seed, source)
    first, second = chance.integers(40, 216, (2, 3))
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    ground = (first + (second - first) * down).astype(np.uint8)
    pixels: Pixels = np.repeat(ground, width, axis=1)
    for _ in range(_DISCS):
        _disc(pixels, chance)
    origin = "from a picture, " if source else ""
    shown = prompt if len(prompt) <= _PROMPT else f"{prompt[:_PROMPT]}..."
    lines = ["LOCAL - no model drew this", model, *textwrap.wrap(shown, _LABEL_WIDTH), f"{origin}seed {seed}"]
    _label(pixels, lines)
    return pixels


def cut_out(pixels: Pixels) -> Pixels:
    """The same with a fourth byte, opacity: nothing but an ellipse in the middle is left of it."""
    height, width = pixels.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    opacity = np.where(x * x + y * y <= 1, 255, 0).astype(np.uint8)
    cut: Pixels = np.dstack((pixels, opacity))
    return cut


def _chance(prompt: str, seed: int, source: bytes) -> np.random.Generator:
    """The numbers that a picture is made of, always the same for the same request."""
    text = f"{seed} {prompt}".encode("utf-8", "surrogatepass")
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text + source).digest()[:8]))


def _disc(pixels: Pixels, chance: np.random.Generator) -> None:
    height, width = pixels.shape[:2]
    radius = int(min(width, height) * chance.uniform(0.06, 0.22))
    y, x = int(chance.integers(0, height)), int(chance.integers(0, width))
    top, left = max(0, y - radius), max(0, x - radius)
    part = pixels[top : y + radius, left : x + radius]
    rows, columns = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    part[(rows - y) ** 2 + (columns - x) ** 2 <= radius * radius] = chance.integers(0, 256, 3)


def _label(pixels: Pixels, lines: list[str]) -> None:
    """Lines of white letters on black, at the top; whatever does not fit is left away."""
    width = pixels.shape[1]
    scale = max(1, width // (font.STEP * (_LABEL_WIDTH + 2)))
    margin, pitch = 2 * scale, (font.HEIGHT + 3) * scale
    pixels[: margin + pitch * len(lines) + margin] = 0
    for number, text in enumerate(lines):
        dots = np.kron(font.dots(text), np.ones((scale, scale), dtype=np.bool_))
        top = margin * 2 + number * pitch
        place = pixels[top : top + dots.shape[0], margin : margin + dots.shape[1]]
        place[dots[: place.shape[0], : place.shape[1]]] = 255
