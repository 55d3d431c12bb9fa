"""What quickdraw.sweep is made of: the search space, the study, its table and its picture."""
