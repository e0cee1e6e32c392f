"""Language models as agents: the client (drivers, retries, limits, budgets, recordings) and what is built on it."""
