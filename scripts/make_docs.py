"""Write the generated parts of docs/: the reference of flags, and the picture of the floors.

    python scripts/make_docs.py
    python scripts/make_docs.py --check

docs/en/flags.md and docs/ko/flags.md come from each command's `Flags`, the Korean texts from
docs/ko/flags.json. In docs/architecture.md the picture comes from the import-linter contract in
pyproject.toml, and each room's line from its docstring. --check writes nothing, and exits with 1
when a file is out of date.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from absl import flags

from quickdraw import cli
from quickdraw.leaderboard.commands import MODULES

ROOT = Path(__file__).resolve().parents[1]
TRANSLATIONS = "docs/ko/flags.json"
ARCHITECTURE = "docs/architecture.md"
COMMANDS = (
    *("train", "eval", "inference", "score", "calibrate", "average", "track", "sweep"),
    *("report", "compare", "export", "serve", "serve score", "draw_off"),
    *(f"datasets.{name}" for name in ("prepare", "sample", "download", "inspect")),
    *(f"vertex.{name}" for name in ("submit", "jobs", "register")),
    *(f"leaderboard {name}" for name in MODULES),
)
_FRONT = {
    "en": """# Flags

[한국어](../ko/flags.md) · English · [Front page](../../README.en.md)

`--help` prints the flags of a command. `--config=file.json` sets any of them (not for the `vertex`
commands); the command line wins. An empty default means that the flag is not set.
""",
    "ko": """# 플래그

한국어 · [English](../en/flags.md) · [첫 페이지](../../README.md)

각 명령에 `--help`를 붙이면 플래그를 볼 수 있습니다. `--config=file.json`으로 어떤 플래그든 지정할
수 있으며(`vertex` 명령은 제외), 명령줄에 쓴 값이 우선합니다. 기본값이 비어 있으면 지정되지 않은
상태라는 뜻입니다.
""",
}
_HEADS = {
    "en": ("flag", "default", "meaning", "One of"),
    "ko": ("플래그", "기본값", "의미", "가능한 값:"),
}
_WIDTH = 78


def pages() -> dict[str, str]:
    """Return the text of every generated file, by its path from the root of the repository."""
    architecture = (ROOT / ARCHITECTURE).read_text(encoding="utf-8")
    for name, text in (("floors", floors()), ("rooms", rooms())):
        architecture = replaced(architecture, name, text)
    return {
        "docs/en/flags.md": flag_reference("en"),
        "docs/ko/flags.md": flag_reference("ko"),
        ARCHITECTURE: architecture,
    }


def flag_reference(language: str) -> str:
    """Return the page with all flags, in English ("en") or Korean ("ko")."""
    korean = json.loads((ROOT / TRANSLATIONS).read_text(encoding="utf-8"))
    flag, default, meaning, one_of = _HEADS[language]
    parts = [_FRONT[language]]
    unknown = {f"{command} --{name}" for command in korean for name in korean[command]}
    for command in COMMANDS:
        rows = [f"\n## {command}\n", f"| {flag} | {default} | {meaning} |", "|---|---|---|"]
        for name, defined in flags_of(command).items():
            text = defined.help or ""
            if language == "ko":
                text = korean.get(command, {}).get(name)
                if text is None:
                    raise SystemExit(f"{TRANSLATIONS}: no text for {command} --{name}")
            unknown.discard(f"{command} --{name}")
            text = " ".join(text.split())
            values = [str(value) for value in getattr(defined.parser, "enum_values", ())]
            if values and not all(re.search(rf"\b{value}\b", text) for value in values):
                text += f" {one_of} {', '.join(f'`{value}`' for value in values)}."
            cells = (f"`--{name}`", _code(_default(defined)), text.replace("|", "\\|"))
            rows.append(f"| {' | '.join(cells)} |")
        parts.append("\n".join(rows) + "\n")
    if unknown:
        raise SystemExit(f"{TRANSLATIONS}: no such flag: {', '.join(sorted(unknown))}")
    return "".join(parts)


def flags_of(command: str) -> dict[str, flags.Flag]:
    """Return a command's flags, without --config."""
    values = flags.FlagValues()
    cli.define_flags(values, module_of(command).Flags)
    return {name: values[name] for name in values if name != "config"}


def module_of(command: str) -> Any:
    """Return the module of a command, such as `train` or `leaderboard serve`."""
    room, _, name = command.partition(" ")
    path = f"{room}.commands.{MODULES[name]}" if name in MODULES else room
    path = "serving.score_sessions" if command == "serve score" else path
    return importlib.import_module(f"quickdraw.{path}")


def _default(flag: flags.Flag) -> str:
    if flag.default is None:
        return ""
    if isinstance(flag.default, list | tuple):
        return ",".join(map(str, flag.default))
    return str(flag.default).lower() if isinstance(flag.default, bool) else str(flag.default)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def layers() -> list[list[str]]:
    """Return the rooms on each floor, the highest floor first."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    (contract,) = (each for each in contracts if each["type"] == "layers")
    return [re.findall(r"\w+", layer) for layer in contract["layers"]]


def floors() -> str:
    """Draw the floors; each box is a room."""
    lines = []
    for number, floor in enumerate(layers()):
        cells = [name.center(width) for name, width in zip(floor, _widths(floor), strict=True)]
        lines += [_rule(floor, "┌┬┐")] if number == 0 else []
        lines += [f"│{'│'.join(cells)}│", _rule(floor, "└┴┘")]
        if number < len(layers()) - 1:
            lines[-1] = _joint(lines[-1], _rule(layers()[number + 1], "┌┬┐"))
    return "```text\n" + "\n".join(lines) + "\n```"


def _widths(floor: list[str]) -> list[int]:
    """Return the widths of the boxes of a floor: as wide as their names, and shares of the rest."""
    free = _WIDTH - 1 - sum(len(name) + 1 for name in floor)
    if free < 0:
        raise SystemExit(f"the picture is too narrow for {' | '.join(floor)}")
    shares = [free // len(floor) + (at < free % len(floor)) for at in range(len(floor))]
    return [len(name) + share for name, share in zip(floor, shares, strict=True)]


def _rule(floor: list[str], corners: str) -> str:
    left, middle, right = corners
    return left + middle.join("─" * width for width in _widths(floor)) + right


def _joint(above: str, below: str) -> str:
    """Merge the lower edge of a floor and the upper edge of the next."""
    joints = {"└┌": "├", "┘┐": "┤", "┴┬": "┼", "┴─": "┴", "─┬": "┬", "──": "─"}
    return "".join(joints[pair] for pair in map("".join, zip(above, below, strict=True)))


def rooms() -> str:
    """Return a table of the rooms, floor by floor: what each holds, and its files."""
    package = ROOT / "quickdraw"
    rows = ["| room | what it holds | files |", "|---|---|---|"]
    for floor in layers():
        for name in floor:
            room = package / name
            if room.is_dir():
                folders = [file.parent for file in sorted(room.rglob("__init__.py"))]
                rows += [_row(f"`{each.relative_to(package)}/`", each) for each in folders]
            else:
                rows.append(_row(f"`{name}.py`", room.with_suffix(".py")))
    return "\n".join(rows)


def _row(room: str, path: Path) -> str:
    """Return a row of the table, with the first paragraph of the docstring."""
    file = path / "__init__.py" if path.is_dir() else path
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    if not text:
        raise SystemExit(f"{file.relative_to(ROOT)}: no docstring")
    line = " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")
    modules = sorted(each.stem for each in path.glob("*.py") if each != file)
    return f"| {room} | {line} | {' '.join(f'`{name}`' for name in modules)} |"


def replaced(text: str, name: str, part: str) -> str:
    """Replace the part of a page between two markers."""
    pattern = rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- end of {name} -->)"
    new, count = re.subn(
        pattern, lambda match: f"{match[1]}\n{part}\n\n{match[2]}", text, flags=re.S
    )
    if count != 1:
        raise SystemExit(f"{ARCHITECTURE}: one pair of markers for {name} expected")
    return new


def main() -> int:
    """Write what is out of date, or only name it; return the exit code."""
    arguments = sys.argv[1:]
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = []
    for name, text in pages().items():
        path = ROOT / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not arguments:
                path.write_text(text, encoding="utf-8")
    for name in stale:
        print(
            f"{name}: {'out of date: run python scripts/make_docs.py' if arguments else 'written'}"
        )
    return 1 if stale and arguments else 0


if __name__ == "__main__":
    sys.exit(main())
