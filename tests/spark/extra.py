"""Prints what the extra `spark` asks for, so that it is installed by name into the environment that is there."""

import tomllib
from pathlib import Path

if __name__ == "__main__":
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    print(*project["project"]["optional-dependencies"]["spark"])
