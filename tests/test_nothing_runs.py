"""No code comes from data: what could run a file or a text is not called anywhere in the packages."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "torch", "imp", "zipfile")
CALLS = (
    "eval",
    "exec",
    "compile",
    "__import__",
    "system",
    "popen",
    "read_pickle",
    "to_pickle",
    "extractall",
    "unpack_archive",
)
SAFE = frozenset({"re.compile"})


def what_runs(tree: ast.AST) -> Iterator[str]:
    """Give what of a module could run data."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"import {one.name}" for one in node.names if one.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield f"from {node.module} import"
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.split(".")[-1] in CALLS and called not in SAFE:
                yield f"{called}()"
            words = {word.arg: word.value for word in node.keywords}
            for name in ("allow_pickle", "shell"):
                if name in words and not (isinstance(words[name], ast.Constant) and words[name].value is False):
                    yield f"{called}({name}=...)"


@pytest.mark.parametrize("package", ["detector", "simulations"])
def test_no_code_comes_from_data(package: str) -> None:
    """No pickle, YAML, eval, shell or unpacking in any module."""
    found = {
        str(path.relative_to(ROOT)): list(what_runs(ast.parse(path.read_text(encoding="utf-8"))))
        for path in (ROOT / package).rglob("*.py")
    }
    assert len(found) > 50
    assert {path: some for path, some in found.items() if some} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "eval(x)",
        "pd.read_pickle(x)",
        "np.load(x, allow_pickle=True)",
        "run(x, shell=y)",
        "os.system(x)",
    ],
)
def test_the_search_can_fail(line: str) -> None:
    """Each thing that runs data is found; compiling an expression of ours is none."""
    assert list(what_runs(ast.parse(line)))
    assert not list(what_runs(ast.parse("re.compile(x); run(x, shell=False); np.load(x, allow_pickle=False)")))
