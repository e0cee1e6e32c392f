"""Relations between a household episode and its twins, as the laws know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs.core.laws.relations import Episode, Relation

if TYPE_CHECKING:
    from ludarium.envs.text.household.simulator import Household

__all__ = ["relations"]


def relations(simulator: Household) -> tuple[Relation, ...]:
    """The same house with its lists turned round: names and numbers of things change nothing but their order."""
    if simulator.config.max_copies > 1:  # the n-th of several receptacles is another one then
        return ()
    return (Relation("lists turned round", lambda episode: _turned(simulator, episode)),)


def _turned(simulator: Household, episode: Episode) -> Episode:
    house = episode["options"]["instance"]
    places, things = len(house["receptacles"]), len(house["objects"])
    turned = dict(house)
    turned["receptacles"] = house["receptacles"][::-1]
    turned["objects"] = [
        {
            **item,
            "places": sorted(places - 1 - n for n in item["places"]),
            "inside": sorted(things - 1 - n for n in item["inside"]),
        }
        for item in house["objects"][::-1]
    ]
    turned["held"] = [things - 1 - n if n >= 0 else n for n in house["held"]]
    turned["goal"] = _goal(house["goal"], {"receptacle": places, "object": things})
    episode["options"] = {**episode["options"], "instance": turned}
    episode["actions"] = [_actions(simulator, step, places, things) for step in episode["actions"]]
    return episode


def _goal(part: Any, count: dict[str, int]) -> Any:
    if isinstance(part, list | tuple):
        return [_goal(one, count) for one in part]
    kind, colon, number = str(part).partition(":")
    return f"{kind}:{count[kind] - 1 - int(number)}" if colon and kind in count else part


def _actions(simulator: Household, step: Any, places: int, things: int) -> Any:
    if isinstance(step, dict):
        return {seat: _action(simulator, int(action), places, things) for seat, action in step.items()}
    return _action(simulator, int(step), places, things)


def _action(simulator: Household, action: int, places: int, things: int) -> int:
    """The same thing under its other number; what names no thing of the house stays."""
    wide, deep = simulator.config.receptacles, simulator.config.objects
    if action < 6 * wide:
        first, count, span = action - action % wide, places, wide
    elif action < 6 * wide + 3 * deep:
        at = action - 6 * wide
        first, count, span = 6 * wide + at - at % deep, things, deep
    elif action < simulator.actions - 5:  # what is said: of a receptacle, of an object, of where one goes
        at = action - 6 * wide - 3 * deep
        start = 0 if at < wide else wide if at < wide + deep else wide + deep
        first = 6 * wide + 3 * deep + start
        count, span = (things, deep) if start == wide else (places, wide)
    else:
        return action
    number = action - first
    assert number < span
    return first + count - 1 - number if number < count else action
