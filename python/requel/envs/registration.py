"""Registers requel's environments with Gymnasium, under the namespace ``requel``."""

from typing import Any

from requel._requel import environments

NAMESPACE = "requel"


def gymnasium_id(id: str) -> str:
    """Return the id that an environment of requel has in Gymnasium.

    A slash can only stand behind the namespace there: ``MinAtar/Breakout-v1`` is ``requel/MinAtar-Breakout-v1``.
    """
    return f"{NAMESPACE}/{id.replace('/', '-')}"


def requel_id(id: str) -> str:
    """Return the id that an environment has in requel, of either of its ids; of one that is not requel's the id itself."""
    return next((entry["id"] for entry in environments() if gymnasium_id(entry["id"]) == id), id)


def register_envs() -> None:
    """Register every environment of requel with Gymnasium. ``import requel`` does it; a second time changes nothing."""
    # Here and not above: this module is imported when Gymnasium has just been.
    from gymnasium.envs.registration import registry

    for entry in environments():
        id = gymnasium_id(entry["id"])
        if id not in registry:
            _register(id, entry)


def _register(id: str, entry: dict[str, Any]) -> None:
    from gymnasium.envs.registration import register

    register(
        id=id,
        entry_point="requel.envs.single:UnlimitedEnv",
        vector_entry_point="requel.envs.vector:make_registered",
        reward_threshold=entry["reward_threshold"],
        max_episode_steps=entry["max_episode_steps"],
        # An environment of requel refuses both steps before a reset and actions that there are not.
        order_enforce=False,
        disable_env_checker=True,
        kwargs={"env_id": entry["id"]},
    )
