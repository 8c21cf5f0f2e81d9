"""The engines there are: ours in a dict, third parties' by the entry point group `stillwatch.engines`."""

from collections.abc import Callable
from importlib.metadata import entry_points

from detector.engines.contract import Engine
from detector.errors import ConfigError, nearest
from detector.settings import ScoreSettings

GROUP = "stillwatch.engines"


def _embedded(settings: ScoreSettings) -> Engine:
    from detector.engines.embedded import EmbeddedEngine

    return EmbeddedEngine(settings.input)


def _spark(settings: ScoreSettings) -> Engine:
    from detector.engines.spark import SparkEngine

    return SparkEngine(settings.input, settings.spark)


ENGINES: dict[str, Callable[[ScoreSettings], Engine]] = {"embedded": _embedded, "spark": _spark}


def make_engine(settings: ScoreSettings) -> Engine:
    """Make the engine that the settings name.

    Raises
    ------
    ConfigError
        Nothing has this name; the nearest is given.
    EngineError
        It cannot be started here.
    """
    name = settings.engine
    if name in ENGINES:
        return ENGINES[name](settings)
    offered = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name in offered:
        engine: Engine = offered[name].load()(settings)
        return engine
    raise ConfigError(f"engine = {name!r}: no engine has this name; {nearest(name, [*ENGINES, *offered])}")
