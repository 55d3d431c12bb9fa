"""Synthetic sample doodles."""
