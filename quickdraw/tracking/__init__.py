"""What a run tells other tools: the engine tells, trackers listen."""
