"""Agents that run elsewhere: programs in any language over JSON lines, and servers over HTTP."""
