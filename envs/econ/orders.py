"""Names of the order book's rules, by number: what a config needs, without the compiler."""

__all__ = ["SELF_MATCH"]

SELF_MATCH = ("newest", "oldest", "both")
"""Which order is cancelled where an account would trade with itself."""
