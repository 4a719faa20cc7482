"""The stub of the extension module names what the module has, and what it has says what it does."""

import ast
import inspect
import pathlib

import requel
from requel import _requel

STUB = ast.parse((pathlib.Path(requel.__file__).parent / "_requel.pyi").read_text())
# What Python or PyO3 adds to every class or module.
ADDED = {"__doc__", "__module__", "__init__", "__new__", "__bool__", "__all__", "__file__", "__loader__", "__name__", "__package__", "__spec__"}


def names(body):
    """The names that statements of a stub declare, with what they declare."""
    found = {node.name: node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    found |= {node.target.id: node for node in body if isinstance(node, ast.AnnAssign)}
    return found


def test_the_stub_has_the_names_of_the_module():
    assert set(names(STUB.body)) == {name for name in vars(_requel) if name not in ADDED}


def test_the_stub_has_the_methods_of_each_class():
    for name, node in names(STUB.body).items():
        if isinstance(node, ast.ClassDef):
            theirs = {each for each in vars(getattr(_requel, name)) if each not in ADDED}
            assert set(names(node.body)) - ADDED == theirs, name


def test_functions_and_methods_have_the_parameters_of_the_stub():
    for name, node in names(STUB.body).items():
        members = names(node.body).items() if isinstance(node, ast.ClassDef) else [(None, node)]
        for member, declared in members:
            target = getattr(_requel, name) if member is None else getattr(getattr(_requel, name), member, None)
            if isinstance(declared, ast.FunctionDef) and callable(target) and member not in ADDED:
                expected = [argument.arg for argument in declared.args.args if argument.arg != "self"]
                found = [each for each in inspect.signature(target).parameters if each != "self"]
                assert found == expected, f"{name}.{member}"


def test_everything_public_has_a_docstring():
    for name in requel.__all__:
        assert (getattr(requel, name).__doc__ or "").strip(), name
    for name, value in vars(_requel).items():
        members = [each for each in vars(value).items() if each[0] not in ADDED] if isinstance(value, type) else []
        for member, each in [(name, value), *members]:
            if not name.startswith("__") and not member.startswith("__"):
                assert (each.__doc__ or "").strip(), f"{name}.{member}"
