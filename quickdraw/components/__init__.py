"""What models, losses and readers are made of: typed parameters, lookup by name, base classes."""
