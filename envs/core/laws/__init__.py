"""The laws of environments, and what holds them against one; public as `ludarium.testing`."""
