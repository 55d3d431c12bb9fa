"""The opponents, written the way their users write them. None of them imports quickdraw, but for
reading the records into memory where that is not what is measured."""
