"""Scenario files: named, versioned sets of (environment id, config, seeds) with a split."""
