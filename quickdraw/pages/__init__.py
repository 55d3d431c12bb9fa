"""HTML pages from templates: one file each, without scripts, light and dark."""
