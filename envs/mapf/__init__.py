"""Multi-agent path finding: one-shot (`mapf-v0`) and lifelong (`mapf-lifelong-v0`)."""
