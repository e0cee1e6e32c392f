"""The tool desk: an agent with tools and a policy serves a user who knows what it wants, over a shared database."""
