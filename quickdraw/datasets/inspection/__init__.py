"""What `quickdraw.datasets.inspect` is made of: one pass over records, findings, a page."""
