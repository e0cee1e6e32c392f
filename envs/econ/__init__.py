"""Economic simulacra: worlds with roles, money and talk."""

from ludarium.envs.econ import tax as _tax  # noqa: F401  (registers its id)
