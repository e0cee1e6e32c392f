"""Text worlds: households, cooking, coins, tool desks, and TextWorld games."""
