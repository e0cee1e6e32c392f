"""The household's rules again: plain, slow Python over sets of facts, written from the specification.

Nothing here knows the compiled engine: a house comes as plain JSON values, commands and answers are text.
"""

from __future__ import annotations

import itertools
from typing import Any

PROCESS = {"heat": "microwave", "cool": "fridge", "clean": "sinkbasin"}
ABLE = {"heat": "heatable", "cool": "coolable", "clean": "cleanable"}
KNIVES = {"knife", "butterknife"}


def listing(names: list[str]) -> str:
    if not names:
        return "nothing"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + ", and " + names[-1]


class Reference:
    """One house being played; `agents` act one after another in a round."""

    def __init__(self, house: dict[str, Any], dialect: str = "0.4", quirks: bool = True, words: int = 0) -> None:
        self.house, self.dialect, self.quirks = house, dialect, quirks
        self.r = [f"{place['kind'].lower()} {place['number']}" for place in house["receptacles"]]
        self.o = [f"{item['kind'].lower()} {item['number']}" for item in house["objects"]]
        self.place = {name: spec["location"] for name, spec in zip(self.r, house["receptacles"], strict=True)}
        self.kind = {name: name.split()[0] for name in self.r + self.o}
        self.can = {name: set(spec["can"]) for name, spec in zip(self.o, house["objects"], strict=True)}
        self.openable = {name for name, spec in zip(self.r, house["receptacles"], strict=True) if spec["openable"]}
        self.fits = {(r.lower(), o.lower()) for r, o in house["can_contain"]}
        self.opened = {name for name, spec in zip(self.r, house["receptacles"], strict=True) if spec["open"]}
        self.inside = {(o, self.r[n]) for o, spec in zip(self.o, house["objects"], strict=True) for n in spec["places"]}
        self.at = {(o, n) for k, o in enumerate(self.o) for n in self._start_places(k)}
        self.taken: set[tuple[str, str]] = set()
        self.state = {(flag, o) for o, spec in zip(self.o, house["objects"], strict=True) for flag in spec["state"]}
        self.nested = {(o, self.o[n]) for o, spec in zip(self.o, house["objects"], strict=True) for n in spec["inside"]}
        agents = house["agents"]
        self.loc = [house["start"]] * agents
        self.hold: list[str | None] = [self.o[n] if n >= 0 else None for n in house["held"] or [-1] * agents]
        self.round = 0
        self.words = [words] * agents
        self.talks = words > 0
        self.said: list[str] = [""] * agents
        self.looked: list[dict[str, str]] = [{} for _ in range(agents)]
        """For each agent: receptacles that it knows of as `shut` or `inside`."""
        self.known: list[dict[str, str]] = [{} for _ in range(agents)]
        """For each agent: where it last knew things, `hand` for its own."""
        for agent in range(agents):
            held = self.hold[agent]
            if held:
                self.known[agent][held] = "hand"
            self.see(agent, self.here(agent))

    def _start_places(self, k: int) -> list[int]:
        spec = self.house["objects"][k]
        if spec["at"] is not None:
            return list(spec["at"])
        return sorted({self.house["receptacles"][n]["location"] for n in spec["places"]})

    # --- what can be said ---
    def here(self, agent: int) -> list[str]:
        return [name for name in self.r if self.place[name] == self.loc[agent]]

    def reachable(self, r: str) -> bool:
        return r not in self.openable or r in self.opened

    def admissible(self, agent: int = 0) -> list[str]:
        held, here = self.hold[agent], self.here(agent)
        found = {"inventory", "look"} | ({"help"} if self.dialect == "0.4" else set())
        found |= {f"go to {r}" for r in self.r if r not in here}
        for r in here:
            found.add(f"examine {r}")
            if r in self.openable:
                found.add(f"{'close' if r in self.opened else 'open'} {r}")
            for o in self.o:
                if (o, r) in self.inside and "toggleable" in self.can[o] and (self.quirks or self.reachable(r)):
                    found.add(f"use {o}")
                if (o, r) in self.inside and "pickupable" in self.can[o] and held is None and self.reachable(r):
                    found.add(f"take {o} from {r}")
            if held is not None:
                if self.reachable(r) and (self.kind[r], self.kind[held]) in self.fits:
                    found.add(f"put {held} in/on {r}" if self.dialect == "0.3" else f"move {held} to {r}")
                found |= {
                    f"{verb} {held} with {r}"
                    for verb, kind in PROCESS.items()
                    if self.kind[r] == kind and ABLE[verb] in self.can[held]
                }
        if held is not None:
            found.add(f"examine {held}")
            if self.kind[held] in KNIVES:
                for o in self.o:
                    seen = any((o, r) in self.inside and self.reachable(r) for r in here)
                    if (o, self.loc[agent]) in self.at and "sliceable" in self.can[o] and (self.quirks or seen):
                        found.add(f"slice {o} with {held}")
        if self.talks:
            found |= {say for say in self.sayable(agent) if len(self.sentence(agent, say).split()) <= self.words[agent]}
        return sorted(found)

    # --- what agents know, and say ---
    def see(self, agent: int, places: list[str]) -> None:
        """Look at receptacles: what is believed there and is not is forgotten."""
        known = self.known[agent]
        for r in places:
            if not self.reachable(r):
                self.looked[agent][r] = "shut"
                continue
            self.looked[agent][r] = "inside"
            for o in self.o:
                if (o, r) in self.inside:
                    known[o] = r
                elif known.get(o) == r:
                    del known[o]

    def within(self, r: str) -> str:
        return f"in {r}" if r in self.openable else f"on {r}"

    def sayable(self, agent: int) -> set[str]:
        found = {f"say going to {r}" for r in self.r}
        found |= {f"say what is {self.within(r)}" for r in self.looked[agent]}
        return found | {f"say where {o} is" for o in self.known[agent]}

    def sentence(self, agent: int, command: str) -> str:
        """What others hear when an agent says something."""
        name = " ".join(command.removesuffix(" is").split()[-2:])
        if command.startswith("say going"):
            return f"I am going to the {name}."
        if command.startswith("say where"):
            place = self.known[agent][name]
            where = "" if place == "hand" else self.within(place).replace(" ", " the ", 1)
            return f"I saw the {name} {where}." if where else f"I hold the {name}."
        things = [f"a {o}" for o in self.o if self.known[agent].get(o) == name]
        if self.looked[agent][name] == "shut" and not things:
            return f"The {name} is closed."
        return f"{self.within(name).replace(' ', ' the ', 1).capitalize()}, I saw {listing(things)}."

    def hear(self, agent: int, speaker: int) -> None:
        """Believe what another said, but not of what is in one's own hand."""
        text, known = self.said[speaker], self.known[agent]
        words = text.rstrip(".").split()
        if text.startswith("The "):
            self.looked[agent].setdefault(" ".join(words[1:3]), "shut")
        elif text.startswith("I hold"):
            if known.get(" ".join(words[3:5])) != "hand":
                known.pop(" ".join(words[3:5]), None)
        elif text.startswith("I saw"):
            if known.get(" ".join(words[3:5])) != "hand":
                known[" ".join(words[3:5])] = " ".join(words[7:9])
        elif text.startswith(("In the ", "On the ")):
            place, _, told = text[7:].rstrip(".").partition(", I saw ")
            self.looked[agent][place] = "inside"
            things = {o for o in self.o if f"a {o}," in f"{told},"}
            for o in self.o:
                if o in things and known.get(o) != "hand":
                    known[o] = place
                elif o not in things and known.get(o) == place:
                    del known[o]

    # --- what is answered ---
    def intro(self, agent: int = 0) -> str:
        around = self.around(0)
        if not self.here(0):
            seen = listing([f"a {name}" for name in self.r])
            around = f"You are in the middle of a room. Looking quickly around you, you see {seen}."
        return f"-= Welcome to TextWorld, ALFRED! =-\n\n{around}\n\nYour task is to: {self.told(agent)}."

    def told(self, agent: int) -> str:
        return str(self.house["sentences"][agent] if self.house.get("goals") else self.house["sentence"])

    def around(self, agent: int) -> str:
        here = self.here(agent)
        if not here:
            return "You are in the middle of a room. Looking quickly around you, you see nothing."
        floor = [
            f"a {o}" for o, r in itertools.product(self.o, here)
            if (o, self.loc[agent]) in self.at and (o, r) in self.taken
        ]  # fmt: skip
        return f"You are facing the {listing(here)}. Next to it, you see {listing(floor)}."

    def inspect(self, r: str) -> str:
        inside = listing([f"a {o}" for o in self.o if (o, r) in self.inside])
        if r not in self.openable:
            return f"On the {r}, you see {inside}."
        return f"The {r} is open. In it, you see {inside}." if r in self.opened else f"The {r} is closed."

    def examine(self, o: str) -> str:
        if "receptacle" in self.can[o]:
            return (
                f"This is a normal {o}. In it, you see {listing([f'a {i}' for i in self.o if (i, o) in self.nested])}."
            )
        has = {flag for flag, thing in self.state if thing == o}
        for needs, words in (
            ({"clean", "hot", "sliced"}, "hot and clean sliced"), ({"clean", "cool", "sliced"}, "cool and clean sliced"),
            ({"clean", "sliced"}, "clean sliced"), ({"hot", "sliced"}, "hot sliced"), ({"cool", "sliced"}, "cool sliced"),
            ({"clean", "hot"}, "hot and clean"), ({"clean", "cool"}, "cool and clean"), ({"hot"}, "hot"),
            ({"clean"}, "clean"), ({"cool"}, "cold"),
        ):  # fmt: skip
            if needs <= has:
                return f"This is a {words} {o}."
        if "toggleable" in self.can[o] and "toggled" in has:
            return f"This {o} is on."
        if "sliceable" in self.can[o] and "sliced" in has:
            return f"This is a sliced {o}."
        return f"There's nothing special about {o}."

    # --- play ---
    def play(self, commands: list[str]) -> list[bool]:
        """One round: the first to act is agent `round` modulo the agents. Return who had an effect."""
        count, done = len(commands), [False] * len(commands)
        self.said = [""] * count
        order = [(self.round + n) % count for n in range(count)]
        for agent in order:
            done[agent] = commands[agent] in self.admissible(agent)
            if done[agent]:
                self._do(agent, commands[agent])
        for speaker in order:
            for agent in range(count):
                if agent != speaker:
                    self.hear(agent, speaker)
        for agent in range(count):
            self.see(agent, self.here(agent))
        self.round += 1
        return done

    def _do(self, agent: int, command: str) -> None:
        verb, _, rest = command.partition(" ")
        held = self.hold[agent]
        if verb == "go":
            self.loc[agent] = self.place[rest.removeprefix("to ")]
            self.see(agent, self.here(agent))
        elif verb == "say":
            self.said[agent] = self.sentence(agent, command)
            self.words[agent] -= len(self.said[agent].split())
        elif verb == "open":
            self.opened.add(rest)
            self.see(agent, [rest])
        elif verb == "close":
            self.opened.discard(rest)
            self.see(agent, [rest])
        elif verb == "take":
            o, r = rest.split(" from ")
            self.inside.discard((o, r))
            self.at.discard((o, self.loc[agent]))
            self.taken.add((o, r))
            self.hold[agent] = o
            self.known[agent][o] = "hand"
        elif verb in ("move", "put"):
            o, r = rest.split(" in/on " if verb == "put" else " to ")
            self.inside.add((o, r))
            self.at.add((o, self.loc[agent]))
            self.taken.discard((o, r))
            self.hold[agent] = None
            self.known[agent][o] = r
        elif verb in PROCESS:
            assert held is not None
            self.state.add(({"heat": "hot", "cool": "cool", "clean": "clean"}[verb], held))
            self.state.discard(({"heat": "cool", "cool": "hot"}.get(verb, ""), held))
        elif verb == "use":
            self.state.add(("toggled", rest))
        elif verb == "slice":
            self.state.add(("sliced", rest.split(" with ")[0]))

    def answer(self, agent: int, command: str, done: bool) -> str:
        """The text after a round."""
        if not done:
            return "Nothing happens."
        verb, _, rest = command.partition(" ")
        if verb == "say":
            return f'You say: "{self.said[agent]}" (words left: {self.words[agent]})'
        if verb == "go":
            r = rest.removeprefix("to ")
            where = f"loc {self.house['locations'] - self.place[r]}" if self.dialect == "0.3" else r
            return f"You arrive at {where}. {self.inspect(r)}"
        if verb == "open":
            return f"You open the {rest}. {self.inspect(rest)}"
        if verb == "close":
            return f"You close the {rest}."
        if verb == "take":
            o, r = rest.split(" from ")
            return f"You pick up the {o} from the {r}."
        if verb in ("move", "put"):
            o, r = rest.split(" in/on " if verb == "put" else " to ")
            return f"You put the {o} in/on the {r}." if verb == "put" else f"You move the {o} to the {r}."
        if verb in PROCESS:
            o, r = rest.split(" with ")
            return f"You {verb} the {o} using the {r}."
        if verb == "use":
            return f"You turn on the {rest}."
        if verb == "slice":
            o, knife = rest.split(" with ")
            return f"You sliced the {o} with the {knife}."
        if verb == "examine":
            return self.inspect(rest) if rest in self.r else self.examine(rest)
        if verb == "inventory":
            held = self.hold[agent]
            return f"You are carrying: a {held}." if held else "You are not carrying anything."
        return self.around(agent) if verb == "look" else "help"

    def heard(self, agent: int) -> str:
        """What an agent is told beside the answer to its command."""
        beside = [f"robot_{k}" for k, at in enumerate(self.loc) if k != agent and at == self.loc[agent]]
        text = f" Here with you: {', '.join(beside)}." if beside else ""
        for k, said in enumerate(self.said):
            text += f' robot_{k} says: "{said}"' if said and k != agent else ""
        return text + " Your task is done." * (bool(self.house.get("goals")) and self.own(agent))

    # --- the goal ---
    def won(self) -> bool:
        return self._holds(self.house["goal"], {})

    def own(self, agent: int) -> bool:
        """Whether the goal that an agent has for itself holds."""
        return self._holds(self.house["goals"][agent], {})

    def _things(self, kind: str) -> list[Any]:
        return {
            "agent": list(range(self.house["agents"])), "object": self.o, "receptacle": self.r,
            "location": list(range(self.house["locations"])),
        }[kind]  # fmt: skip

    def _holds(self, goal: Any, names: dict[str, Any]) -> bool:
        head, rest = goal[0], goal[1:]
        if head == "and":
            return all(self._holds(part, names) for part in rest)
        if head == "or":
            return any(self._holds(part, names) for part in rest)
        if head == "not":
            return not self._holds(rest[0], names)
        if head == "exists":
            return self._exists(list(rest[0]), rest[1], names)
        if head == "forall":
            return not self._exists(list(rest[0]), ["not", rest[1]], names)
        return self._fact(head, [self._value(word, names) for word in rest])

    def _exists(self, left: list[Any], body: Any, names: dict[str, Any]) -> bool:
        """Bind one variable after another; facts that can be told already are asked first."""
        parts = body[1:] if body[0] == "and" else [body]
        if not left:
            return self._holds(body, names)
        (name, kind), rest = left[0], left[1:]
        free = {other for other, _ in rest}
        for value in self._things(kind):
            bound = {**names, name: value}
            told = (part for part in parts if part[0] not in ("exists", "forall") and not free & _words(part))
            if all(self._holds(part, bound) for part in told) and self._exists(rest, body, bound):
                return True
        return False

    def _value(self, word: str, names: dict[str, Any]) -> Any:
        if word in names:
            return names[word]
        kind, colon, number = word.partition(":")
        return self._things(kind)[int(number)] if colon else word

    def _fact(self, head: str, given: list[Any]) -> bool:
        a, b = given[0], given[-1]
        if head == "=":
            return a == b
        if head in ("objectType", "receptacleType"):
            return self.kind[a] == b.lower()
        if head == "inReceptacle":
            return (a, b) in self.inside
        if head == "inReceptacleObject":
            return (a, b) in self.nested
        if head == "objectAtLocation":
            return (a, b) in self.at
        if head == "receptacleAtLocation":
            return self.place[a] == b
        if head == "atLocation":
            return self.loc[a] == b
        if head == "holds":
            return self.hold[a] == b
        if head == "holdsAny":
            return self.hold[a] is not None
        if head == "canContain":
            return (a.lower(), b.lower()) in self.fits
        if head in ("opened", "openable"):
            return a in (self.opened if head == "opened" else self.openable)
        if head == "isReceptacleObject":
            return "receptacle" in self.can[a]
        if head.startswith("is"):
            return (head[2:].lower(), a) in self.state
        return head in self.can[a]


def _words(part: Any) -> set[str]:
    if isinstance(part, list | tuple):
        return set().union(*(_words(one) for one in part))
    return {part}
