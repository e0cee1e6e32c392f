"""Agents: the contract, the registry, and the reference agents of each family."""
