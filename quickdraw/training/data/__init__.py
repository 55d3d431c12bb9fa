"""Training drawings: decoded once, cached, fed to the step."""
