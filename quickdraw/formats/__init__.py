"""What records are made of, and what lies beside them; no TensorFlow."""
