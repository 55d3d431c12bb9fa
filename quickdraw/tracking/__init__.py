"""Experiment tracking: the engine reports, trackers pass it on to other tools."""
