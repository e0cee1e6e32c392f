"""Agents of the tool desk: the scripted user, and staff to measure tasks by."""
