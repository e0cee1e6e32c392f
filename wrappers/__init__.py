"""Views and conveniences over any environment."""
