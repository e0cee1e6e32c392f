"""Agents of the text worlds."""
