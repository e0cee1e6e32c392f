"""How a scripted clerk serves: it identifies, understands a wish, asks, looks, declines by rule or proposes, acts, and tells.

A clerk is a script: a generator that yields what is said or called next, and is sent what came of it (the user's words, or a
tool's result). It knows the desk's policy by heart, as checks over what its tools show; the rules' words are the document's.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Generator, Iterable
from typing import Any, ClassVar

__all__ = ["Clerk", "Script", "Snag", "call", "cents", "day_of"]

Script = Generator[str, Any, Any]
Checks = Iterable[tuple[str, Any]]

_NAME = re.compile(r"\b([A-Z][a-z]+) ([A-Z][a-z]+)\b")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ZIP = re.compile(r"\b\d{5}\b")
_YES = re.compile(r"\b(yes|correct|go ahead|sure|please do)\b")
_NO = re.compile(r"\b(no|not|don't|wrong|wait)\b")
_WHO = "Could you please tell me your full name and your zip code?"
_ELSE = "Is there anything else I can do for you?"
_TRIES = 3
_DAY_ZERO = datetime.date(2026, 1, 1)
"""days that tools show as numbers count from here"""


class Snag(Exception):
    """A wish that cannot be gone on with: a tool failed, or what is asked for was not understood."""


def call(name: str, /, **arguments: Any) -> str:
    """A call of a tool as an action."""
    return json.dumps({"name": name, "arguments": arguments})


def cents(amount: str) -> int:
    """An amount as tools show it, `-$12.50`, in cents."""
    return int(re.sub(r"[^\d-]", "", amount))


def day_of(shown: str | int) -> int:
    """A day as tools show it (a date, or a number already) as a number of days."""
    return shown if isinstance(shown, int) else (datetime.date.fromisoformat(shown) - _DAY_ZERO).days


class Clerk:
    """What clerks of all desks do; `policy` maps rules' ids to their words, as far as they are known."""

    kinds: ClassVar[tuple[tuple[str, str], ...]] = ()
    """kind of wish (a method), and a regular expression over the words that bring it up, in lower case; the first fits"""
    questions: ClassVar[dict[str, tuple[str, str]]] = {}
    """what can be asked for -> how it is asked, and what tells (in lower case) that it has been said"""

    def __init__(self, policy: dict[str, str], today: int) -> None:
        self.policy, self.today = policy, today
        self.customer, self.said, self.subgoal = "", "", "identify"
        self._seen: dict[str, Any] = {}

    # --- the conversation ------------------------------------------------------------------------------------------
    def serve(self, words: str) -> Script:
        """The whole conversation, from the user's first words."""
        yield from self.identify(words)
        while True:
            self.said = words
            kind = self.recognise(words)
            self.subgoal = kind or "understand"
            if kind is None:
                words = yield "How can I help you?"
                continue
            try:
                words = yield from getattr(self, kind)()
            except Snag as snag:
                words = yield f"There was a difficulty: {snag}. How can I help you?"

    def recognise(self, words: str) -> str | None:
        """The kind of wish that some words bring up."""
        low = words.lower()
        return next((kind for kind, pattern in self.kinds if re.search(pattern, low)), None)

    def identify(self, words: str) -> Script:
        """Find the customer by what they say of themselves, asking until it is found."""
        first = last = place = ""
        if not _EMAIL.search(words):
            words = yield _WHO
        while True:
            if found := _EMAIL.search(words):
                result = yield call("find_customer_by_email", email=found[0])
            else:
                first, last = next(iter(_NAME.findall(words)), (first, last))
                place = next(iter(_ZIP.findall(words)), place)
                if not (first and place):
                    words = yield _WHO
                    continue
                result = yield call("find_customer_by_name_and_zip", first_name=first, last_name=last, zip=place)
            if "error" not in result:
                self.customer = result["customer_id"]
                return
            words = yield "I could not find you under that name and zip code. Could you check them, please?"

    def ask(self, *names: str) -> Script:
        """Ask for what has not been said yet; `Snag` where it is not told."""
        for _ in range(_TRIES):
            missing = [name for name in names if not re.search(self.questions[name][1], self.said.lower())]
            if not missing:
                return
            answer = yield f"Could you tell me {' and '.join(self.questions[name][0] for name in missing)}?"
            self.said = f"{self.said} {answer}"
        raise Snag(f"I did not understand {self.questions[missing[0]][0]}")

    def told(self, pattern: str) -> str:
        """What the user's words of this wish hold; `Snag` if nothing of the kind."""
        found = re.search(pattern, self.said)
        if found is None:
            raise Snag("I did not find that in your words")
        return found[0]

    # --- tools -----------------------------------------------------------------------------------------------------
    def look(self, name: str, /, **arguments: Any) -> Script:
        """What a reading tool shows; what was read since the last change is not read again."""
        made = call(name, **arguments)
        if made not in self._seen:
            self._seen[made] = yield from self.use(made)
        return self._seen[made]

    def use(self, made: str) -> Script:
        """The result of a call; `Snag` where it failed."""
        result = yield made
        if isinstance(result, dict) and "error" in result:
            raise Snag(str(result.get("message", result["error"])).rstrip("."))
        return result

    def profile(self) -> Script:
        """The customer's profile."""
        return (yield from self.look("get_customer", customer_id=self.customer))

    # --- what becomes of a wish ------------------------------------------------------------------------------------
    def settle(
        self, checks: Checks, plan: str, made: str, news: Callable[[Any], str] = lambda result: "", more: str = ""
    ) -> Script:
        """Decline by the first rule that is broken; else propose, wait for a yes, act, and tell. The user's next words.

        `news` is said of the result; `more` is what the customer is asked to do with the own hands after it.
        """
        for rule, broken in checks:
            if broken:
                return (yield from self.decline(rule))
        for _ in range(_TRIES):
            answer = yield f"I would {plan}. Shall I go ahead? (yes/no)"
            if _YES.search(answer.lower()) and not _NO.search(answer.lower()):
                break
            if "###" in answer or self.recognise(answer):
                return answer
        else:
            return answer
        result = yield from self.use(made)
        self._seen.clear()
        if more:
            yield more
        return (yield from self.close(news(result)))

    def close(self, news: str = "") -> Script:
        """Say that it is done, with what the user should know."""
        return (yield f"This is done. {news}{' ' if news else ''}{_ELSE}")

    def answer(self, news: str) -> Script:
        """Tell what was asked for."""
        return (yield f"Here is what you wanted to know: {news} {_ELSE}")

    def decline(self, rule: str) -> Script:
        """Say no, by a rule, until the user goes on to something else."""
        why = self.policy.get(rule, f"Rule {rule} of our policy does not allow it.")
        for _ in range(_TRIES):
            words = yield f"I am sorry, but I cannot do that. {why}"
            if self.recognise(words):
                break
        return words

    def person(self) -> Script:
        """Hand over to a person: the conversation ends."""
        return (yield from self.use(call("transfer_to_human", summary=f"The customer says: {self.said}")))
