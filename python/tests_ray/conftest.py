"""A cluster of three raylets on this machine, and a limit of time for every test."""

import faulthandler
import os
import signal

import pytest

# No token in the home directory, and no word about usage.
os.environ.setdefault("RAY_AUTH_MODE", "disabled")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ["PYTHONPATH"] = os.pathsep.join([os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")])

import ray  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

LIMIT_SECONDS = 180


@pytest.fixture(autouse=True)
def limit():
    def over(*_):
        faulthandler.dump_traceback()
        raise TimeoutError(f"a test took more than {LIMIT_SECONDS} s")

    signal.signal(signal.SIGALRM, over)
    signal.alarm(LIMIT_SECONDS)
    yield
    signal.alarm(0)


@pytest.fixture
def cluster():
    """The head, where the learner is, and two nodes for collectors, whose object stores are small."""
    store = {"object_store_memory": 80 * 1024 * 1024}
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **store})
    nodes.workers = [nodes.add_node(num_cpus=2, **store) for _ in range(2)]
    ray.init(address=nodes.address, log_to_driver=False)
    yield nodes
    ray.shutdown()
    nodes.shutdown()
