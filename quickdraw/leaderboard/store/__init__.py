"""The data of a leaderboard, in SQLite or PostgreSQL: nothing acknowledged is ever lost."""
