"""How the scripted user understands an agent's words: matchers of what is asked, proposed, declined or done."""

from __future__ import annotations

import re

from ludarium.envs.text.desk.domain import Domain

__all__ = ["Heard", "ids_in", "listen"]

_ASKS = re.compile(
    r"\?|\b(please (tell|give|provide|share|send|let|confirm|verify)|"
    r"could you|can you|may i|i('ll| will| would)? (also )?need|let me know)\b"
)
_PROPOSES = re.compile(
    r"\b(shall i|should i|do you want me to|would you like me to|do you want to (go ahead|proceed)|go ahead\?|"
    r"(is|are) (that|this|these) (all )?(right|ok|okay|correct|fine)|please confirm|do you confirm|can you confirm|"
    r"to confirm|reply (with )?.?yes|proceed\?)|\(yes/no\)"
)
_DECLINES = re.compile(
    r"\b(cannot|can't|can not|unable to|not able to|(not|n't) (allowed|possible|permitted|eligible)|decline|"
    r"against (our|the) policy|policy (does not|doesn't) (allow|permit)|won't be able)\b"
)
_NOT_FOUND = re.compile(
    r"(cannot|can't|could ?n[o']t|could not|unable to|did not|didn't|don't) (find|locate|verify|match)|"
    r"no (such )?(account|customer|profile|match)|does not match|doesn't match|check (your|the) (name|zip|email)"
)
_DONE = re.compile(
    r"\b(done|completed|all set|(has|have) (now )?been|is now|are now|successfully|here is what|the answer is|"
    r"(it's|it is|it was|that's|that is|you're|you are|everything is) (now )?(all )?"
    r"(cancel|book|chang|updat|fix|sort|solv|resolv|done|paid)|"
    r"(fixed|solved|resolved|taken care of|processed)\b|"
    r"i('ve| have) (now )?(cancel|chang|return|exchang|updat|replac|add|sent|book|refund|set|wrapp|issu|restor))"
)
_ELSE = re.compile(
    r"anything else|something else|what else|else (i|we) can|further (help|questions|assistance)|other (questions|requests)"
)
_WAIT = re.compile(
    r"\b(let me|one moment|just a (moment|second)|i('ll| will) (check|look|find)|checking|please wait|hold on)\b"
)
_HANDOVER = re.compile(
    r"\b((transferr?|hand|connect)ing you|(transfer|hand|pass) you (over|to)|connect you (to|with)|"
    r"(human|colleague) will take over)\b"
)
_GREETS = re.compile(
    r"how (can|may|could) (i|we) (help|assist)|what can (i|we) (do|help)|what do you need|what is it about|"
    r"(more|some|further|all) (details|information)|tell me more"
)
_WHO = re.compile(
    r"(verify|confirm|check) (who you are|your (identity|account))|who (you are|am i (speaking|talking))|identify you"
)
_ID = re.compile(r"\b[A-Z]{2}\d{5}\b")


class Heard:
    """What an agent's message holds."""

    def __init__(self, domain: Domain, text: str) -> None:
        low = " ".join(text.lower().split())
        self.text = text
        self.asks = bool(_ASKS.search(low))
        self.proposes = bool(_PROPOSES.search(low))
        self.not_found = bool(_NOT_FOUND.search(low))
        self.declines = bool(_DECLINES.search(low)) and not self.not_found
        self.done = bool(_DONE.search(low)) and not self.declines
        self.anything_else = bool(_ELSE.search(low))
        self.waits = bool(_WAIT.search(low))
        self.hands_over = bool(_HANDOVER.search(low)) and not self.proposes
        self.slots = [name for name, ask in domain.asks.items() if re.search(ask.heard, low)] if self.asks else []
        if self.asks and not self.slots and _WHO.search(low):
            self.slots = ["name", "email", "zip"]
        self.greets = bool(_GREETS.search(low))
        self.instructions = [
            (tool, dict(arguments))
            for tool, cues in domain.cues.items()
            for pattern, arguments in cues
            if re.search(pattern, low)
        ]


def listen(domain: Domain, text: str) -> Heard:
    """Understand a message."""
    return Heard(domain, text)


def ids_in(text: str) -> list[str]:
    """The ids (two letters, five digits) that a text names."""
    return _ID.findall(text)
