"""Serving: a world offered to outside agents over MCP, HTTP and WebSocket."""
