"""Writing a data set: an index of all drawings, then shards in the order of the index."""
