"""What a leaderboard knows, in one SQLite file or in PostgreSQL: nothing acknowledged is lost."""
