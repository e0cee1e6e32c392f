"""Ludarium: simulation environments in which every score can be checked by playing it again.

`import ludarium` registers the environments with Gymnasium and PettingZoo as strings; nothing is compiled, and Numba
is not imported, before the first environment is made.
"""

from __future__ import annotations

__version__ = "0.1.0.dev0"
