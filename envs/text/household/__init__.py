"""Household tasks in the manner of ALFWorld."""
