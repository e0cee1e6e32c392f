"""Guess the number, in words, by turns. The template of object worlds."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs._template.object"

register(
    World(
        id="template-object-v0",
        simulator=f"{_MODULE}.simulator:TemplateObject",
        config=f"{_MODULE}.config:TemplateObjectConfig",
        summary="guess a number in words, one player after another",
        family="template_object",
    )
)
