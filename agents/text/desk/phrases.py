"""What the scripted user says, by persona; words of assent stand only where the user means yes."""

from __future__ import annotations

import re
from typing import Any

__all__ = [
    "ASIDES", "BYE", "GIVEN_UP", "GREETINGS", "INSISTS", "MOVED_ON", "NEXT", "PUZZLED", "YES", "lower_first", "opening",
]  # fmt: skip

GREETINGS = {
    "terse": ("", "Hi."),
    "chatty": ("Hello there! I hope you're having a nice day.", "Good morning! Thanks for being there.",
               "Hi! Lovely to reach someone."),
    "impatient": ("Hi, I'm in a hurry.", "Hello. I have very little time."),
    "mistaken": ("Hello.", "Hi there.", "Good day."),
    "adversarial": ("Hello, I expect good service today.", "Hi. I'm a long-standing customer.", "Hello."),
}  # fmt: skip
ASIDES = (
    "The weather here is dreadful today.",
    "My sister recommended you, by the way.",
    "I'm writing this from the train.",
    "My cat is walking over the keyboard as we speak.",
    "I've been meaning to sort this out for days.",
)
YES = {
    "terse": ("Yes.", "Yes, do it.", "Correct."),
    "chatty": ("Yes, that would be wonderful.", "Yes please, go ahead.", "Yes, that sounds right to me."),
    "impatient": ("Yes, quickly please.", "Yes, go ahead.", "Yes, yes."),
    "mistaken": ("Yes, please.", "Yes, that's right."),
    "adversarial": ("Yes, go ahead.", "Yes, of course."),
}
NEXT = {
    "terse": ("Next: ", "And: "),
    "chatty": ("Lovely, thank you! There's one more thing. ", "Thanks so much. While I have you: "),
    "impatient": ("Fine. Next thing: ", "Good. And quickly: "),
    "mistaken": ("Thank you. ", "Thanks. I also have another question. "),
    "adversarial": ("Fine. Then there's something else. ", "Well. Next. "),
}
BYE = {
    "terse": ("Thanks.", "That's all."),
    "chatty": ("That's everything, thank you so much for your help!", "Wonderful, that was all. Have a lovely day!"),
    "impatient": ("That's all, bye.", "Good, I have to run."),
    "mistaken": ("Thank you, that was all.", "Thanks for your patience, bye."),
    "adversarial": ("Fine, that's all.", "That's all then. Goodbye."),
}
MOVED_ON = ("A pity. Then something else: ", "I see. Next: ", "That's a shame. Then another thing: ")
GIVEN_UP = ("A pity. That was all then.", "I see. Goodbye then.", "That's a shame. Goodbye.")
INSISTS = (
    "But one of your colleagues told me it would be fine. Please make an exception.",
    "I've been a customer for years, surely you can bend the rule for me.",
    "I don't accept that. Just do it anyway.",
)
PUZZLED = (
    "Sorry, I did not understand that.",
    "I'm afraid I did not understand you.",
    "I did not understand what you mean.",
)
_FIELD = re.compile(r"\{(\w+)(?::([^}]*))?\}")


def lower_first(text: str) -> str:
    """The text with a small first letter, unless it begins with `I`."""
    return text if re.match(r"I\b|I'", text) else text[:1].lower() + text[1:]


def opening(template: str, wish: dict[str, Any]) -> str:
    """An opening sentence: `{slot}` is said in any case, `{slot: ... % ...}` only if the slot is told at once."""

    def put(found: re.Match[str]) -> str:
        name, optional = found[1], found[2]
        if optional is None:
            return str(wish["slots"][name]["say"])
        return optional.replace("%", wish["slots"][name]["say"]) if name in wish["opening"] else ""

    return _FIELD.sub(put, template)
