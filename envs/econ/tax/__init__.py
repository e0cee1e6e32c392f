"""Bilevel taxation: a planner sets rates, workers choose hours."""
