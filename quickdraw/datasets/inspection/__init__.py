"""What `quickdraw.datasets.inspect` is made of: reading, counting, finding, drawing a page."""
