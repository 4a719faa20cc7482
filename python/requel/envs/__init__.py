"""requel's environments for Gymnasium: single, in vectors, and registered as ``requel/...``."""

from requel.envs.registration import gymnasium_id, register_envs, requel_id
from requel.envs.single import RequelEnv
from requel.envs.vector import RequelVectorEnv, make_vec

__all__ = ["RequelEnv", "RequelVectorEnv", "gymnasium_id", "make_vec", "register_envs", "requel_id"]
