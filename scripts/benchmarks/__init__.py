"""The parts of scripts/benchmark.py.

A subcommand is a module here with a function `contest(options)`; its name stands in `SUBCOMMANDS`.
What it measures are functions of other modules: each is called in a process of its own by
`worker.py` and returns what it measured by name, see `measure.py`.
"""
