"""A self-hosted leaderboard for a class, a camp or a public competition; no TensorFlow."""
