"""Personas as typed data: occupation, sex, age and taste, drawn from a committed table, and a narrative from a template.

The table has the major occupation groups of the United States with rounded shares of employment and of women, for variety
and not as a source of facts. A persona touches utilities only through its taste, which scales the disutility of work.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, kernel
from ludarium.envs.core.rng import below, draw

__all__ = ["AGES", "OCCUPATIONS", "SEXES", "Persona", "draw_person", "narrative", "persona_of"]

STREAM_PERSON = 5
SEXES = ("woman", "man")
OCCUPATIONS: tuple[tuple[str, int, int], ...] = (
    ("manager", 70, 42), ("accountant or financial analyst", 66, 55), ("software developer", 34, 26),
    ("engineer or architect", 17, 17), ("scientist", 9, 48), ("social worker or counsellor", 16, 71), ("lawyer", 8, 53),
    ("teacher or librarian", 58, 73), ("artist, designer or athlete", 14, 48), ("nurse, physician or therapist", 61, 75),
    ("health care assistant", 47, 86), ("police officer or firefighter", 23, 24), ("cook or waiter", 88, 56),
    ("cleaner or groundskeeper", 29, 40), ("hairdresser or child carer", 20, 76), ("sales person", 89, 49),
    ("office clerk", 123, 72), ("farm worker", 3, 26), ("construction worker", 41, 4), ("mechanic", 40, 4),
    ("production worker", 58, 29), ("driver or warehouse worker", 86, 22),
)  # fmt: skip
"""Name, share of employment in thousandths, women in hundredths."""
AGES: tuple[tuple[int, int, int], ...] = (
    (18, 24, 12),
    (25, 34, 23),
    (35, 44, 22),
    (45, 54, 20),
    (55, 64, 17),
    (65, 74, 6),
)
"""First and last year of an age group, and its share in hundredths."""


def _cumulative(shares: tuple[int, ...]) -> NDArray[np.int64]:
    return np.cumsum(np.array(shares, np.int64))


_JOBS = _cumulative(tuple(row[1] for row in OCCUPATIONS))
_WOMEN = np.array([row[2] for row in OCCUPATIONS], np.int64)
_AGE = _cumulative(tuple(row[2] for row in AGES))


@inner
def _place(ends: NDArray[np.int64], chance: int) -> int:
    place = 0
    while chance >= ends[place]:
        place += 1
    return place


@kernel
def draw_person(key: np.uint64, i: int, tastes: int, out: NDArray[np.uint8]) -> None:
    """Write occupation, sex (0: woman), age group and taste (all equally likely) of worker i, uint8[4]."""
    job = _place(_JOBS, below(draw(key, STREAM_PERSON, i, 0, 0), _JOBS[_JOBS.shape[0] - 1]))
    out[0] = job
    out[1] = below(draw(key, STREAM_PERSON, i, 1, 0), 100) >= _WOMEN[job]
    out[2] = _place(_AGE, below(draw(key, STREAM_PERSON, i, 2, 0), _AGE[_AGE.shape[0] - 1]))
    out[3] = below(draw(key, STREAM_PERSON, i, 3, 0), tastes)


class Persona(NamedTuple):
    """One worker's persona."""

    occupation: str
    sex: str
    age: int
    taste: int
    """Index into the config's `tastes`."""


def persona_of(codes: NDArray[np.uint8], key: int, i: int) -> Persona:
    """The persona behind four codes; the year of age within its group is drawn."""
    first, last, _ = AGES[int(codes[2])]
    with np.errstate(over="ignore"):
        age = first + int(_year_of_age(np.uint64(key), i, last - first + 1))
    return Persona(OCCUPATIONS[int(codes[0])][0], SEXES[int(codes[1])], age, int(codes[3]))


@kernel
def _year_of_age(key: np.uint64, i: int, years: int) -> int:
    return below(draw(key, STREAM_PERSON, i, 4, 0), years)


@functools.lru_cache(maxsize=64)
def _words_of_taste(tastes: tuple[float, ...]) -> tuple[str, ...]:
    return tuple(
        "You like your work more than most people do." if taste < 1.0
        else "Long hours weigh on you more than on most people." if taste > 1.0
        else "You feel about long hours as most people do."
        for taste in tastes
    )  # fmt: skip


def narrative(persona: Persona, income: float, tastes: tuple[float, ...]) -> str:
    """Two or three sentences about a worker, from a template: equal data give equal words."""
    article = "an" if persona.occupation[0] in "aeiou" else "a"
    return (
        f"You are a {persona.age}-year-old {persona.sex} and work as {article} {persona.occupation}. Forty hours a week would "
        f"earn you {income:,.2f} a year. {_words_of_taste(tastes)[persona.taste]}"
    )
