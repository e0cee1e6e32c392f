"""Economic simulacra: worlds with roles, money and talk."""
