"""A tiny bitmap type, three pixels wide and five high, so that pictures need no font and no display.

Letters have one case. A glyph is five rows of three bits, written as octal digits from the top.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["text_mask"]

_ROWS = {
    " ": "00000", "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717",
    "6": "74757", "7": "71122", "8": "75757", "9": "75717", "A": "25755", "B": "65656", "C": "34443",
    "D": "65556", "E": "74647", "F": "74644", "G": "34553", "H": "55755", "I": "72227", "J": "11152",
    "K": "55655", "L": "44447", "M": "57755", "N": "65555", "O": "25552", "P": "65644", "Q": "25563",
    "R": "65655", "S": "34216", "T": "72222", "U": "55557", "V": "55552", "W": "55775", "X": "55255",
    "Y": "55222", "Z": "71247", ".": "00002", ",": "00024", ":": "02020", ";": "02024", "-": "00700",
    "+": "02720", "=": "07070", "*": "05250", "/": "11244", "%": "51245", "(": "12221", ")": "42224",
    "[": "32223", "]": "62226", "<": "12421", ">": "42124", "?": "71202", "!": "22202", "'": "22000",
    '"': "55000", "#": "57575", "_": "00007", "|": "22222", "$": "36736", "&": "25256", "@": "25543",
}  # fmt: skip


@lru_cache(maxsize=4096)
def text_mask(text: str) -> NDArray[np.bool_]:
    """Return `text` as bool[5, 4 * len - 1].

    Accents are dropped, and what has no glyph is a question mark.
    """
    base = unicodedata.normalize("NFKD", text).upper()
    glyphs = [_ROWS.get(c, _ROWS["?"]) for c in base if not unicodedata.combining(c)]
    mask = np.zeros((5, max(4 * len(glyphs) - 1, 0)), bool)
    for i, rows in enumerate(glyphs):
        for y, row in enumerate(rows):
            for x in range(3):
                mask[y, 4 * i + x] = int(row) >> (2 - x) & 1
    mask.flags.writeable = False
    return mask
