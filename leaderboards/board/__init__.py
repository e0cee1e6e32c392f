"""The board: pages, replays, server and hosted tier over submissions."""
