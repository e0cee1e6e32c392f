"""What actions of the commons mean in words: messages with their small grammar, ballots, and the form of an action."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ludarium.envs.core.errors import ActionError
from ludarium.envs.econ.commons.config import CANDIDATES, SCORE_LEVELS
from ludarium.envs.econ.commons.talk import ACCUSE, LIMIT, PROMISE

if TYPE_CHECKING:
    from ludarium.envs.econ.commons.config import CommonsConfig
    from ludarium.envs.econ.commons.simulator import Commons

__all__ = ["EXAMPLE", "ballots", "code_of", "form_of", "meaning_of", "saying", "text_of"]

GRAMMAR = re.compile(r"\b(limit|promise|accuse)\s*=\s*(?:harvester_)?(-?\w+)", re.IGNORECASE)
EXAMPLE = "limit=10 (let nobody take more than 10), promise=10 (I shall take 10 at most), accuse=2 (harvester_2)"


def form_of(simulator: Commons, code: int, text: bytes = b"") -> Any:
    """An action in the form that the space has: its number, and the bytes of a text behind it."""
    words = simulator.config.words
    return [code, *text, *[0] * (words - len(text))] if words else code


def code_of(cap: int, kind: int, number: int) -> int:
    """The number of a choice to say something: the inverse of `talk.meaning`."""
    return {LIMIT: 1 + number, PROMISE: cap + 2 + number, ACCUSE: 2 * cap + 3 + number}[kind]


def meaning_of(config: CommonsConfig, choice: int) -> tuple[str, int]:
    """The word of the grammar and its number that a choice says; ("", 0): none."""
    size, n = config.cap + 1, config.num_harvesters
    words = (("limit", size), ("promise", size), ("accuse", n))
    choice -= 1
    for word, count in words:
        if 0 <= choice < count:
            return word, choice
        choice -= count
    return "", 0


def text_of(message: NDArray[Any]) -> str:
    """The words of a message; bytes that are no UTF-8 are shown as such."""
    return bytes(message.tolist()).rstrip(b"\0").decode("utf-8", "backslashreplace")


def saying(simulator: Commons, message: str) -> Any:
    """The action of a turn to speak; `ActionError` where the text is too long or outside the grammar."""
    c = simulator.config
    if not isinstance(message, str):
        raise ActionError(f"message = {message!r:.80}; expected a text")
    found = list(GRAMMAR.finditer(message))
    if len(found) > 1:
        raise ActionError(f"message: {len(found)} of limit=, promise=, accuse= in a turn; expected one at most")
    code = 0
    if found:
        word, number = found[0][1].lower(), found[0][2]
        kind = {"limit": LIMIT, "promise": PROMISE, "accuse": ACCUSE}[word]
        high = c.num_harvesters - 1 if kind == ACCUSE else c.cap
        if not re.fullmatch(r"\d{1,6}", number, re.ASCII) or int(number) > high:
            raise ActionError(f"message: {found[0][0]!r:.80}; expected {word}= and a whole number from 0 to {high}")
        code = code_of(c.cap, kind, int(number))
    if not c.words:
        if GRAMMAR.sub("", message).strip(" .,;!"):
            raise ActionError(
                f"message = {message!r:.200}; there is no free text here, only one of {EXAMPLE}, or nothing"
            )
        return code
    try:
        text = message.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ActionError("message: it holds half of a surrogate pair, which UTF-8 cannot write") from error
    if "\0" in message:
        raise ActionError("message: it holds a zero byte; expected text")
    if len(text) > c.words:
        raise ActionError(f"message: {len(text)} bytes; expected at most {c.words}")
    return form_of(simulator, code, text)


def ballots(simulator: Commons) -> list[tuple[int, str, dict[str, Any]]]:
    """The ballots of the voting rule: number, command and arguments."""
    c = simulator.config
    if c.voting in ("plurality", "random_dictator"):
        found: list[Any] = [[p] for p in range(CANDIDATES)]
    elif c.voting == "approval":
        found = [[p for p in range(CANDIDATES) if b >> p & 1] for b in range(c.ballots)]
    elif c.voting == "score":
        found = [[b // SCORE_LEVELS**p % SCORE_LEVELS for p in range(CANDIDATES)] for b in range(c.ballots)]
    else:
        found = [list(order) for order in itertools.permutations(range(CANDIDATES))]
    if c.voting not in ("approval", "score"):
        found.append([])
    return [(b, f"vote {' '.join(map(str, vote))}".strip(), {"ballot": vote}) for b, vote in enumerate(found)]
