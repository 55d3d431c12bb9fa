"""Hyper-parameter search: trials, their results and plots."""
