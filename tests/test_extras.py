"""A missing extra is told in one line; a defect of the package itself is not taken for one."""

import pytest

from quickdraw.errors import QuickdrawError
from quickdraw.extras import needs


def test_a_missing_library_is_told_with_the_command_that_installs_it():
    with pytest.raises(QuickdrawError) as raised, needs("export"):
        import no_such_library.part  # noqa: F401
    assert str(raised.value) == (
        "no_such_library is not installed, which this needs: pip install 'quickdraw[export]', or "
        "pip install -e '.[export]' in a clone"
    )


def test_what_a_library_misses_itself_is_named(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import its_own_need\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(QuickdrawError, match="^its_own_need is not installed"), needs("serve"):
        import half_installed  # noqa: F401


def test_a_module_of_the_package_that_is_not_there_is_a_defect():
    with pytest.raises(ModuleNotFoundError, match=r"quickdraw\.no_such_module"), needs("serve"):
        import quickdraw.no_such_module  # noqa: F401
