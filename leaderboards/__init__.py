"""Runner, statistics, command line and verification."""
