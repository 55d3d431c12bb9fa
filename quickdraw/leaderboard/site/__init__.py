"""The server of a leaderboard: pages, the API, and what guards them."""
