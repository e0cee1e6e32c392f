"""Two small complete worlds, kept green: what `ludarium new-family` copies. Importing this module registers them.

`array` is a world of compiled kernels over arrays, with two roles that are asked by turns; `object` is a world of
text, whose episodes are Python objects with append-only logs.
"""

from ludarium.envs._template import array, object  # noqa: F401  (they register their ids)
