"""The choices of a desk's config, apart from what needs the compiler."""

from __future__ import annotations

__all__ = ["DOMAINS", "PERSONAS", "SPLITS"]

DOMAINS = ("retail", "travel", "telecom")
PERSONAS = ("terse", "chatty", "impatient", "mistaken", "adversarial")
SPLITS = ("train", "val", "test")
