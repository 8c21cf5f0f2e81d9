"""One cluster of two workers, and one session on it, for all tests of this folder."""

from collections.abc import Iterator
from typing import Any

import pytest

from detector.engines.spark_sessions import start
from detector.settings import SparkSettings
from tests.spark.cluster import Cluster, running


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers with a core each."""
    with running(tmp_path_factory.mktemp("cluster"), n_workers=2) as found:
        yield found


@pytest.fixture(scope="session")
def session(cluster: Cluster) -> Iterator[Any]:
    """A session on the cluster, started as the command line starts it."""
    found, is_own = start(SparkSettings(master=cluster.master, driver_memory="1g", executor_memory="1g"))
    assert is_own
    yield found
    found.stop()
