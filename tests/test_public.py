"""What `llmsim` offers is what it says it offers."""

import pytest

import llmsim


def test_every_public_name_can_be_imported():
    for name in llmsim.__all__:
        assert getattr(llmsim, name) is not None


def test_the_public_names_are_sorted_and_complete():
    assert llmsim.__all__ == sorted(set(llmsim.__all__))
    assert set(llmsim.__all__) == {*llmsim._HOMES, "__version__"}


def test_a_star_import_brings_them_all():
    names = {}
    exec("from llmsim import *", names)
    assert set(llmsim.__all__) <= set(names)


def test_the_names_that_a_type_checker_sees_are_those_that_are_found():
    import ast
    from pathlib import Path

    tree = ast.parse(Path(llmsim.__file__).read_text())
    checking = next(node for node in tree.body if isinstance(node, ast.If))
    shown = {alias.asname or alias.name for node in checking.body for alias in node.names}
    assert shown == set(llmsim._HOMES)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'llmsim' has no attribute 'Nonsense'"):
        llmsim.Nonsense  # noqa: B018
    assert not hasattr(llmsim, "_nothing")
