"""Economic simulacra: worlds with roles, money and talk."""

from ludarium.envs.econ import auction as _auction  # noqa: F401
from ludarium.envs.econ import bargain as _bargain  # noqa: F401
from ludarium.envs.econ import commons as _commons  # noqa: F401
from ludarium.envs.econ import exchange as _exchange  # noqa: F401
from ludarium.envs.econ import gtb as _gtb  # noqa: F401
from ludarium.envs.econ import market as _market  # noqa: F401  (registers its id)
from ludarium.envs.econ import oligopoly as _oligopoly  # noqa: F401
from ludarium.envs.econ import publicgoods as _publicgoods  # noqa: F401
from ludarium.envs.econ import tax as _tax  # noqa: F401
