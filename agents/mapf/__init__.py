"""Planners and oracles for path finding."""
