"""gs:// paths, told apart from what is not there; `quickdraw.storage` is for local paths, too."""
