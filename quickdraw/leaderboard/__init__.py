"""A leaderboard that a class, a camp or a public competition runs itself; no TensorFlow."""
