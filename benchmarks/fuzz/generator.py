"""From a seed to a program."""

from __future__ import annotations

from benchmarks.fuzz.draft import Draft
from benchmarks.fuzz.families import FAMILIES
from benchmarks.fuzz.program import Program


def generate(seed: int, family: str = "") -> Program:
    """The program of a seed; of one family, if that is given."""
    draft = Draft(seed)
    names = list(FAMILIES)
    draft.family = family or draft.rng.choices(names, [FAMILIES[name][1] for name in names])[0]
    FAMILIES[draft.family][0](draft)
    return draft.finish()
