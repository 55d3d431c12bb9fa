"""The READMEs: the same code in both languages, commands that parse, code that runs."""

from __future__ import annotations

import concurrent.futures
import importlib
import re
import runpy
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from absl import flags

from quickdraw import cli
from quickdraw.datasets.sample import make_sample
from quickdraw.vertex import module_flags, service, submit

ROOT = Path(__file__).resolve().parents[1]
READMES = ["README.md", "README.en.md"]
COMMANDS = ["train", "eval", "inference", "score", "calibrate", "average", "sweep"]
COMMANDS += [f"datasets.{name}" for name in ("prepare", "sample", "download", "inspect")]
COMMANDS += [f"vertex.{name}" for name in ("submit", "jobs", "register")]


def blocks(name: str, language: str = "[a-z]*") -> list[str]:
    """The code blocks of a README."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def defined_flags(command: str) -> flags.FlagValues:
    values = flags.FlagValues()
    importlib.import_module(f"quickdraw.{command}").define_flags(values)
    return values


def test_both_languages_have_the_same_code():
    assert blocks(READMES[0]) == blocks(READMES[1])
    assert len(blocks(READMES[0])) > 5


@pytest.mark.parametrize("readme", READMES)
def test_every_command_parses(readme):
    lines = "".join(blocks(readme, "bash")).replace("\\\n", "").splitlines()
    commands = [shlex.split(line) for line in lines if line.startswith("python -m quickdraw.")]
    assert len(commands) >= 10
    for _, _, module, *arguments in commands:
        command, argv = module.removeprefix("quickdraw."), [module, *arguments]
        values = defined_flags(command)
        if command == "vertex.submit":
            argv, passed = submit.split(argv)
            cli.parse(values, argv)
            module_flags.parse(values.kind, values.model, passed)
        elif command == "vertex.jobs":
            cli.parse(values, service.first_word_as("action", argv))
        else:
            at = argv.index("--") if "--" in argv else len(argv)
            cli.parse(values, argv[:at])
            cli.parse(defined_flags("train"), ["train", *argv[at + 1 :]])


def test_gcloud_knows_every_command_and_flag():
    """Of the READMEs, of the comments in cloud/, and of the setup."""
    if not shutil.which("gcloud"):
        pytest.skip("needs gcloud, which is not installed")
    places = [*ROOT.glob("cloud/*"), *map(ROOT.joinpath, READMES), ROOT / "scripts/cloud_setup.sh"]
    text = "".join(path.read_text(encoding="utf-8") for path in places)
    text = re.sub(r"\\\n#?", " ", text)
    printed: dict[str, set[str]] = {}
    for match in re.finditer(r"^[#\s]*(?:run )?(gcloud [a-z].*)", text, re.M):
        command = re.match(r"gcloud( [a-z][a-z-]+)+", match[1])
        assert command, match[1]
        printed.setdefault(command[0], set()).update(re.findall(r"--[a-z-]+", match[1]))
    assert len(printed) > 12
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for command, known in zip(printed, pool.map(flags_of_gcloud, printed), strict=True):
            assert printed[command] <= known, command


def flags_of_gcloud(command: str) -> set[str]:
    """What `gcloud … --help` names."""
    result = subprocess.run([*command.split(), "--help"], capture_output=True, text=True)
    assert result.returncode == 0, (command, result.stderr)
    return set(re.findall(r"--[a-z-]+", re.sub(r".\x08|\x1b\[\d*m", "", result.stdout)))


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_is_there_with_its_default(readme, command):
    text = (ROOT / readme).read_text(encoding="utf-8")
    section = text.split(f"\n`{command}`\n")[1].split("\n`")[0]
    values = defined_flags(command)
    documented = dict(re.findall(r"^\| `--(\w+)` \| `?(.*?)`? \|", section, re.M))
    if "config" in values:
        del values.config
    assert set(documented) == set(values)
    for name, default in documented.items():
        expected = values[name].default
        text = "" if expected is None else str(expected)
        assert default == (text.lower() if isinstance(expected, bool) else text)


def test_every_file_of_the_package_is_in_the_tree():
    """Files below the second floor are named by their folder."""
    tree = blocks(READMES[0], "text")[0]
    for path in (ROOT / "quickdraw").rglob("*.py"):
        folders = path.relative_to(ROOT / "quickdraw").parts[:-1]
        name = path.name if len(folders) < 2 else f"{folders[1]}/"
        name = "vertex/" if folders[:1] == ("vertex",) else name
        assert name in tree or name == "__init__.py" or name.startswith("doodle_")


def test_the_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_sample("data/sample", per_category=40)
    code = blocks("README.en.md", "python")
    for text in code[:4]:  # two models and two losses of one's own
        name = text.split()[1]
        Path(name).write_text(text)
        runpy.run_path(name)
    Path("notebook.py").write_text("".join(code[4:]).replace("batch_size=64", "batch_size=8"))
    names = runpy.run_path("notebook.py")
    assert names["images"].shape == (8, 28, 28, 1)
    assert names["trained"].predict(names["images"][:1].numpy())
    shutil.rmtree("runs")
