"""The server of a leaderboard: pages, API, and the middleware that guards them."""
