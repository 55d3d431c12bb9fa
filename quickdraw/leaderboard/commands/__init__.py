"""The commands of a leaderboard: one module each, whose docstring is its manual."""

MODULES = {
    "create": "create_competition",
    "serve": "run_server",
    "teams": "manage_teams",
    "end": "end_competition",
    "reveal": "reveal_results",
    "final": "hold_final",
    "export": "export_results",
    "backup": "backup_database",
    "submit": "submit_predictions",
    "board": "show_board",
    "demo": "run_demo",
}
"""By the word that follows `python -m quickdraw.leaderboard`."""
