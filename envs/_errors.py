"""The errors of the suite, for `except` and `from ludarium.errors import ConfigError`."""

from ludarium.envs.core.errors import *  # noqa: F403
from ludarium.envs.core.errors import __all__ as __all__
