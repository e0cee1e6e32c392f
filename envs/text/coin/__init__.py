"""Coin games: find the way through a chain of rooms to the coin."""
