"""Reference agents of the economic worlds."""
