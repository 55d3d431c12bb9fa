"""Trials of a leaderboard from outside: a crowd that submits and looks, a server that is killed."""
