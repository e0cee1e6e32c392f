"""The commands of `ludarium leaderboard` that work on a store."""
