"""A font of capitals, five dots wide and seven high, for the label of a picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 5, 7  # dots of a letter; the next one begins a dot further on
STEP = WIDTH + 1

# Seven rows from top to bottom, each five bits as a digit of base 32.
_GLYPHS = {
    **{"A": "ehhvhhh", "B": "uhhuhhu", "C": "ehggghe", "D": "uhhhhhu", "E": "vgguggv", "F": "vgguggg"},
    **{"G": "ehgnhhf", "H": "hhhvhhh", "I": "e44444e", "J": "72222ic", "K": "hikokih", "L": "ggggggv"},
    **{"M": "hrllhhh", "N": "hpljhhh", "O": "ehhhhhe", "P": "uhhuggg", "Q": "ehhhlid", "R": "uhhukih"},
    **{"S": "fgge11u", "T": "v444444", "U": "hhhhhhe", "V": "hhhhha4", "W": "hhhllrh", "X": "hha4ahh"},
    **{"Y": "hha4444", "Z": "v1248gv", "0": "ehjlphe", "1": "4c4444e", "2": "eh1248v", "3": "v2421he"},
    **{"4": "26aiv22", "5": "vgu11he", "6": "68guhhe", "7": "v124888", "8": "ehhehhe", "9": "ehhf12c"},
    **{".": "00000cc", ",": "0000c48", "-": "000e000", ":": "0cc0cc0", "/": "01248g0", "'": "c480000"},
    **{"!": "4444404", "?": "eh12404", "(": "2488842", ")": "8422248", "_": "000000v", "+": "044v440"},
    **{'"': "aaa0000", " ": "0000000", "%": "op248j3", "&": "8kk8lid", ";": "0cc0c48", "#": "aavavaa", "=": "00v0v00"},
    **{"*": "04lel40", "@": "ehnlngf", "$": "4fke5u4", "[": "e88888e", "]": "e22222e"},
}
_OTHER = "vhhhhhv"  # a box for what the font has not


def dots(text: str) -> npt.NDArray[np.bool_]:
    """A line of text, seven rows high: true where a dot is."""
    line = np.zeros((HEIGHT, max(1, len(text) * STEP)), dtype=np.bool_)
    for index, letter in enumerate(text.upper()[: len(text)]):
        for row, digit in enumerate(_GLYPHS.get(letter, _OTHER)):
            bits = int(digit, 32)
            line[row, index * STEP : index * STEP + WIDTH] = [bits >> (WIDTH - 1 - dot) & 1 for dot in range(WIDTH)]
    return line
