"""What a run tells other tools."""
