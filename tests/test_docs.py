"""The READMEs and docs/: both languages alike, commands that parse, code that runs, links that lead
somewhere, and generated parts that are up to date."""

from __future__ import annotations

import concurrent.futures
import importlib.util
import itertools
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
from quickdraw.training.optimizers import complete
from quickdraw.tuning import search
from quickdraw.vertex import job_flags, submit

ROOT = Path(__file__).resolve().parents[1]
ENGLISH = ["README.en.md", *(f"docs/en/{path.name}" for path in sorted(ROOT.glob("docs/en/*.md")))]
KOREAN = [name.replace("README.en", "README").replace("docs/en", "docs/ko") for name in ENGLISH]
PAGES = [*ENGLISH, *KOREAN, "docs/architecture.md", "docs/experiments.md", "CONTRIBUTING.md"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str = "[a-z]*") -> list[str]:
    """The code blocks of a page."""
    return re.findall(rf"```{language}\n(.*?)```", read(name), re.S)


def parsed(command: str, argv: list[str]):
    """The flags of a command, each value checked."""
    values = defined(command)
    cli.parse(values, argv)
    return cli.read_flags(values, importlib.import_module(f"quickdraw.{command}").Flags)


def defined(command: str) -> flags.FlagValues:
    """The flags of a command, with their defaults."""
    values = flags.FlagValues()
    cli.define_flags(values, importlib.import_module(f"quickdraw.{command}").Flags)
    return values


def make_docs():
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts/make_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_languages_have_the_same_pages():
    assert {path.name for path in ROOT.glob("docs/ko/*.md")} == {
        path.name for path in ROOT.glob("docs/en/*.md")
    }


@pytest.mark.parametrize(("english", "korean"), [*zip(ENGLISH, KOREAN, strict=True)], ids=ENGLISH)
def test_both_languages_have_the_same_code_headings_and_tables(english, korean):
    assert blocks(english) == blocks(korean)
    for start in ("#", "|"):
        count = [
            sum(line.startswith(start) for line in read(page).splitlines())
            for page in (english, korean)
        ]
        assert count[0] == count[1], f"lines that begin with {start}"


@pytest.mark.parametrize("readme", ["README.md", "README.en.md"])
def test_the_front_page_is_short(readme):
    assert len(read(readme).splitlines()) <= 180


def test_contributing_is_short():
    assert len(read("CONTRIBUTING.md").splitlines()) <= 60


@pytest.mark.parametrize("readme", ["README.md", "README.en.md"])
def test_every_figure_of_the_front_page_is_on_the_page_of_results(readme):
    results = "docs/en/results.md" if readme == "README.en.md" else "docs/ko/results.md"
    rows = [line for line in read(readme).splitlines() if line.startswith("|")]
    assert len(rows) > 10
    assert set(rows) <= set(read(results).splitlines())


@pytest.mark.parametrize("page", ENGLISH)
def test_every_command_parses(page):
    lines = "".join(blocks(page, "bash")).replace("\\\n", "").splitlines()
    for line in lines:
        if line.startswith("python -m quickdraw."):
            check_command(line)


@pytest.mark.parametrize("page", ["docs/en/kits.md", "docs/ko/kits.md"])
def test_every_command_that_takes_the_place_of_another_kits_parses(page):
    rows = [line for line in read(page).splitlines() if line.startswith("| ")]
    commands = [
        command.replace("\\|", "|")
        for row in rows
        for command in re.findall(r"`(python -m quickdraw\..*?)`", row)
    ]
    assert len(commands) > 30
    for command in commands:
        check_command(command)


def check_command(line: str) -> None:
    """Parse a command, each value checked; those of `--config` too."""
    _, _, module, *arguments = shlex.split(line)
    command, argv = module.removeprefix("quickdraw."), [module, *arguments]
    if command == "leaderboard":
        word, *rest = arguments
        check_leaderboard(word, rest)
    elif command == "vertex.submit":
        argv, passed = submit.split(argv)
        chosen = parsed(command, argv)
        flags = job_flags.parse(chosen.kind, chosen.model, passed, ())
        if chosen.kind in ("train", "tune"):
            job_flags.look_up(chosen.kind, flags, chosen.gpus, chosen.workers)
    elif command == "vertex.jobs":
        parsed(command, cli.first_word_as("action", argv))
    elif command == "serve" and arguments[:1] == ["score"]:
        parsed("serving.score_sessions", cli.first_word_as("sessions", [module, *arguments[1:]]))
    else:
        at = argv.index("--") if "--" in argv else len(argv)
        chosen = parsed(command, argv[:at])
        parsed("train", ["train", *argv[at + 1 :]])
        if command == "train":
            complete(chosen)
        if command == "sweep":
            search.parse(chosen.search, defined("train"))


def check_leaderboard(word: str, rest: list[str]) -> None:
    """Parse a command of the leaderboard: some have words before their flags."""
    module = make_docs().module_of(f"leaderboard {word}")
    values = flags.FlagValues()
    cli.define_flags(values, module.Flags)
    names = [name for name in ("action", "name", "what") if name in values]
    count = sum(1 for _ in itertools.takewhile(lambda each: not each.startswith("-"), rest))
    first = [f"--{name}={each}" for name, each in zip(names, rest[:count], strict=False)]
    rest = [*first, *rest[len(first) :]]
    cli.parse(values, ["leaderboard", *rest])
    cli.read_flags(values, module.Flags)


@pytest.mark.slow
def test_gcloud_knows_every_command_and_flag():
    """Of the READMEs, of docs/, of the comments in cloud/, and of the setup."""
    if not shutil.which("gcloud"):
        pytest.skip("needs gcloud, which is not installed")
    places = [*ROOT.glob("cloud/*"), ROOT / "scripts/cloud_setup.sh"]
    places += map(ROOT.joinpath, [*ENGLISH, *KOREAN])
    text = "".join(path.read_text(encoding="utf-8") for path in places)
    text = re.sub(r"\\\n#?", " ", text)
    printed: dict[str, set[str]] = {}
    for match in re.finditer(r"^[#\s]*(?:run )?(gcloud [a-z].*)", text, re.M):
        command = re.match(r"gcloud( [a-z][a-z-]+)+", match[1])
        assert command, match[1]
        printed.setdefault(command[0], set()).update(re.findall(r"(?<=\s)--[a-z-]+", match[1]))
    assert len(printed) > 12
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for command, known in zip(printed, pool.map(flags_of_gcloud, printed), strict=True):
            assert printed[command] <= known, command


def flags_of_gcloud(command: str) -> set[str]:
    """What `gcloud … --help` names."""
    result = subprocess.run([*command.split(), "--help"], capture_output=True, text=True)
    assert result.returncode == 0, (command, result.stderr)
    return set(re.findall(r"--[a-z-]+", re.sub(r".\x08|\x1b\[\d*m", "", result.stdout)))


def test_the_generated_parts_are_up_to_date():
    stale = [name for name, text in make_docs().pages().items() if read(name) != text]
    assert not stale, "run python scripts/make_docs.py"


def test_a_flag_without_a_korean_text_is_named(tmp_path, monkeypatch):
    module = make_docs()
    text = read(module.TRANSLATIONS).replace('"balanced_sampling"', '"balanced_sample"')
    (tmp_path / "flags.json").write_text(text, encoding="utf-8")
    monkeypatch.setattr(module, "TRANSLATIONS", str(tmp_path / "flags.json"))
    with pytest.raises(SystemExit, match="no text for train --balanced_sampling"):
        module.flag_reference("ko")
    with pytest.raises(SystemExit, match="no such flag: train --balanced_sample$"):
        module.flag_reference("en")


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_every_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", read(page)):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_file_of_this_repository_that_a_page_names_is_there(page):
    places = [ROOT]
    if page in ("docs/architecture.md", "CONTRIBUTING.md"):
        places += [ROOT / "quickdraw", ROOT / "quickdraw/datasets/sources", ROOT / "scripts"]
    for name in re.findall(r"`([\w.]+/[\w./]*\.(?:py|sh|json|yaml|md|toml))`", read(page)):
        if not name.startswith(("tests/x/", "quickdraw/x/", "data/", "runs/")):
            assert any((place / name).exists() for place in places), name


def test_the_python_blocks_run(tmp_path, monkeypatch):
    """Blocks that begin with a file's name are modules; the others, in order, a notebook."""
    from quickdraw.losses import BaseLoss
    from quickdraw.models import BaseModel

    monkeypatch.chdir(tmp_path)
    make_sample("data/sample", per_category=40)
    code = [text for page in ENGLISH for text in blocks(page, "python")]
    modules = [text for text in code if text.startswith("# my_")]
    classes = []
    for text in modules:
        name = text.split()[1]
        Path(name).write_text(text)
        classes += [
            value
            for key, value in runpy.run_path(name).items()
            if key.startswith(("My", "Squared", "Small"))
        ]
    models = [each for each in classes if issubclass(each, BaseModel)]
    assert len(models) >= 3
    assert len([each for each in classes if issubclass(each, BaseLoss)]) >= 2
    for model in models:
        assert model().build(28, 1, 10).output.shape == (None, 10)
    (notebook,) = [text for text in code if text not in modules]
    Path("notebook.py").write_text(notebook.replace("batch_size=64", "batch_size=8"))
    names = runpy.run_path("notebook.py")
    assert names["images"].shape == (8, 28, 28, 1)
    assert names["trained"].predict(names["images"][:1].numpy())
    shutil.rmtree("runs")
