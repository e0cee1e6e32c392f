"""The sentences of the cooking games: one for each thing to say (`plain`), or several to choose from (`varied`)."""

from __future__ import annotations

__all__ = ["PHRASES", "REASONS"]

PHRASES: dict[str, tuple[str, ...]] = {
    "room": ("You are in the {0}.", "This is the {0}.", "You stand in the {0}.", "The {0} is all around you."),
    "exits": ("Exits: {0}.", "Ways lead {0}.", "You can leave: {0}.", "From here you can go {0}."),
    "floor": ("On the floor: {0}.", "Somebody left {0} on the floor.", "The floor holds {0}.", "At your feet: {0}."),
    "sight": ("You see: {0}.", "In here: {0}.", "The room has {0}.", "You notice {0}."),
    "carry": ("You carry: {0}.", "You hold {0}.", "In your hands: {0}.", "With you: {0}."),
    "recipe": ("Recipe: {0}.", "The recipe says: {0}.", "From the cookbook: {0}.", "You remember the recipe: {0}."),
    "go": ("You go {0}.", "You walk {0}.", "You head {0}.", "Off you go, {0}."),
    "open": ("You open the {0}.", "The {0} opens.", "You pull the {0} open.", "The {0} is open now."),
    "close": ("You close the {0}.", "The {0} shuts.", "You push the {0} shut.", "The {0} is closed now."),
    "take": ("You take the {0}.", "You pick up the {0}.", "The {0} is yours.", "You grab the {0}."),
    "drop": ("You drop the {0}.", "You lay down the {0}.", "You let go of the {0}.", "Down goes the {0}."),
    "put": ("You put the {0} there.", "You leave the {0} there.", "The {0} goes there.", "There goes the {0}."),
    "cook": ("You cook it: {0}.", "After a while you have {0}.", "It sizzles: {0}.", "Done: {0}."),
    "burn": ("You burn it: {0}.", "It turns black: {0}.", "Too long: {0}.", "That is charcoal now: {0}."),
    "cut": ("You cut it: {0}.", "With some care you have {0}.", "The knife is sharp: {0}.", "Done: {0}."),
    "eat": ("You eat the {0}.", "You finish the {0}.", "The {0} is gone.", "You swallow the {0}."),
    "drink": ("You drink the {0}.", "You empty the {0}.", "The {0} is gone.", "You sip up the {0}."),
    "prepare": ("You prepare the meal.", "The meal is ready.", "It all comes together: a meal.", "Here is the meal."),
    "plain_thing": ("The {0} is just that.", "An ordinary {0}.", "Nothing odd about the {0}.", "Just the usual {0}."),
    "won": ("You have won!", "What a meal! You have won.", "Well cooked: you have won.", "You win!"),
    "lost": ("You have lost.", "The meal is spoilt: you have lost.", "That ends it: you have lost.", "You lose."),
    "refuse": ("You cannot do that: {0}.", "That does not work: {0}.", "No: {0}.", "Not now: {0}."),
}
"""Each list begins with the plain sentence."""

REASONS = (
    "nothing is wrong", "there is no exit that way", "it is closed", "there is no such thing here", "it is so already",
    "your hands are full", "you do not carry it", "it cannot be cooked", "it cannot be cut", "you need a knife in hand",
    "it cannot be eaten as it is", "meals are prepared in the kitchen", "you still miss an ingredient",
    "an ingredient is not yet as the recipe wants it", "you have it already",
)  # fmt: skip
"""A clause for each fault."""
