"""DQN with remote collectors: :class:`ApexDQN`."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray import exceptions

from requel import _requel
from requel._training import settings_of, with_env
from requel.ray._collector import Collector, Plan

_log = logging.getLogger("requel.ray")

#: Steps of each environment in one block at most, in lock-step: until then there may be no update.
_MOST_IN_STEP = 64
#: How long a full object store is waited for between two tries, seconds.
_PAUSE = 0.5


@dataclasses.dataclass(frozen=True)
class ApexResult:
    """The result of training."""

    env_steps: int
    updates: int
    #: BLAKE3 of the final weights as little-endian ``f32``.
    weights_blake3: str
    #: Of the final policy, greedy, over ``evaluation.episodes`` episodes.
    mean_return: float
    #: Number of blocks by their outcome: ``taken``, ``duplicate``, ``late``, ``missing`` and ``stale``.
    blocks: dict[str, int]
    #: How often a collector was restarted.
    restarts: int


@dataclasses.dataclass
class _Worker:
    """A collector, as the learner sees it."""

    number: int
    slots: tuple[int, int]
    actor: Any = None
    incarnation: int = 0
    #: The number of the block that is asked for.
    sequence: int = 0
    asked_at: float = 0.0
    failures: int = 0


class ApexDQN:
    """DQN whose environments are stepped by Ray actors, after Horgan et al. 2018, *Distributed prioritized experience replay*.

    The process that calls :meth:`train` is the learner: it has the replay buffer, and makes the updates. Collectors act by weights
    that they get by object reference, and send blocks of steps, in which each frame is once. Steps are put together over several, where
    ``agent.n_step`` asks for that, by the learner, so that a block is as large as what was seen. New transitions have the highest
    priority there is, as in one process.

    With ``lock_step`` all collectors step together and wait for each update: the weights have the bits of :func:`requel.train` with as
    many environments. Without, none waits for another, and no two trainings are the same.

    Args:
        env: an id, a class or a function that makes an environment; collectors make their own.
        num_collectors: actors.
        num_envs: the total number of environments.
        lock_step: whether to keep the bits.
        block_steps: steps of each environment in a block, without ``lock_step``.
        weights_every: updates after which collectors get new weights, without ``lock_step``.
        most_behind: drop blocks whose weights are more updates old than this.
        epsilons: one constant epsilon per collector, without ``lock_step``; none: all follow the schedule.
        run_dir: the directory of checkpoints and the result. Training that was stopped there continues.
        checkpoint_every: env steps between two checkpoints; 0: none.
        timeout: seconds after which a collector that does not answer is restarted.
        num_cpus: CPUs that Ray reserves for a collector.
        algo, preset, seed, reward_range, env_options, **sections: as for :func:`requel.train`.

    Raises:
        ValueError, TypeError: for settings and environments, as :func:`requel.train`.
    """

    def __init__(
        self,
        env: Any = "CartPole-v1",
        *,
        num_collectors: int = 2,
        num_envs: int = 2,
        lock_step: bool = False,
        block_steps: int = 50,
        weights_every: int = 100,
        most_behind: int | None = None,
        epsilons: Sequence[float] | None = None,
        run_dir: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 0,
        timeout: float = 60.0,
        num_cpus: float = 1,
        algo: str | None = None,
        preset: str | None = None,
        seed: int | None = None,
        reward_range: tuple[float, float] | None = None,
        env_options: Mapping[str, Any] | None = None,
        **sections: Mapping[str, Any],
    ) -> None:
        if not 1 <= num_collectors <= num_envs:
            raise ValueError(f"num_collectors={num_collectors}, num_envs={num_envs}: each collector has at least one environment")
        if epsilons is not None and (lock_step or len(epsilons) != num_collectors):
            raise ValueError("epsilons has one entry per collector, but in lock-step all follow the schedule")
        if checkpoint_every and run_dir is None:
            raise ValueError("checkpoint_every needs a run_dir")
        settings = (*settings_of(with_env(sections, env_options), seed=seed), ("num_envs", "train.num_envs", num_envs))
        self._plan = Plan(env, algo, preset, reward_range, settings)
        looked_at, self._config = self._plan.made()
        text = self._config.text
        if 'kind = "pqn"' in text:
            raise ValueError("pqn learns while it acts, and has no replay buffer that others could fill")
        self._budget = _number(text, "train", "env_steps")
        if not self._budget:
            raise ValueError("train={'env_steps': N} sets how long to train")
        self._learner = _requel.Learner(self._config, looked_at.source, None if lock_step else most_behind)
        self._num_envs, self._lock_step = num_envs, lock_step
        self._block_steps, self._weights_every, self._epsilons = block_steps, weights_every, epsilons
        self._run_dir = None if run_dir is None else Path(run_dir)
        self._checkpoint_every, self._timeout, self._num_cpus = checkpoint_every, timeout, num_cpus
        bounds = [num_envs * number // num_collectors for number in range(num_collectors + 1)]
        self._workers = [_Worker(number, (bounds[number], bounds[number + 1])) for number in range(num_collectors)]
        self._restarts = 0
        self._weights: tuple[int, Any] = (-1, None)

    def train(self) -> ApexResult:
        """Train until ``train.env_steps`` have been made. However it ends, no actor is left.

        Raises:
            RuntimeError: if a collector fails repeatedly, with its error.
        """
        if not ray.is_initialized():
            ray.init()
        try:
            self._begin()
            if self._lock_step:
                self._train_in_step()
            else:
                self._train_freely()
            return self._result()
        finally:
            for worker in self._workers:
                self._end(worker)

    def _begin(self) -> None:
        states: list[bytes | None] = [None] * len(self._workers)
        if self._run_dir is not None:
            self._claim(self._run_dir)
            found = self._learner.restore(self._run_dir / "checkpoints", len(self._workers)) if (self._run_dir / "checkpoints").exists() else None
            if found is not None:
                states = found
                _log.info("continuing from the checkpoint at env step %s", self._learner.progress()[0])
        for worker, state in zip(self._workers, states, strict=True):
            self._start(worker, state)

    def _claim(self, run_dir: Path) -> None:
        """Make the directory, or see that it is of the same settings."""
        run_dir.mkdir(parents=True, exist_ok=True)
        path = run_dir / "config.toml"
        if path.exists() and path.read_text() != self._config.text:
            raise ValueError(f"{run_dir} contains a training run with other settings")
        path.write_text(self._config.text)

    def _start(self, worker: _Worker, state: bytes | None = None) -> None:
        """Begin a collector, from a saved state in lock-step, else in an incarnation of its own."""
        worker.incarnation = 0 if self._lock_step else max(self._learner.next_incarnation(worker.number), worker.incarnation)
        worker.sequence = 0
        actor = ray.remote(Collector).options(num_cpus=self._num_cpus, max_restarts=0)
        epsilon = None if self._epsilons is None else float(self._epsilons[worker.number])
        worker.actor = actor.remote(self._plan, worker.slots, (worker.number, worker.incarnation), self._lock_step, epsilon)
        if state is not None and self._lock_step:
            worker.sequence = int.from_bytes(state[:8], "little")
            worker.actor.restore.remote(state[8:], worker.sequence)

    def _end(self, worker: _Worker) -> None:
        if worker.actor is not None:
            ray.kill(worker.actor)
            worker.actor = None

    def _ask(self, worker: _Worker, steps: int) -> Any:
        version, weights = self._weights
        worker.asked_at = time.monotonic()
        return worker.actor.collect.remote(worker.sequence, steps, self._learner.progress()[0], self._num_envs, version, weights)

    def _put_weights(self) -> None:
        """Make the present weights those that collectors get. There is one copy, and the one before is let go."""
        version, weights = self._learner.weights()
        if version == self._weights[0]:
            return
        self._weights = (version, self._in_store(weights))

    def _in_store(self, value: bytes) -> Any:
        end = time.monotonic() + self._timeout
        while True:
            try:
                return ray.put(value)
            except (exceptions.ObjectStoreFullError, exceptions.OutOfDiskError) as error:
                if time.monotonic() > end:
                    raise
                _log.warning("the object store has no room for weights; trying again: %s", _first_line(error))
                time.sleep(_PAUSE)

    # Freely: whoever is ready is served.

    def _train_freely(self) -> None:
        self._put_weights()
        asked = {self._ask(worker, self._block_steps): worker for worker in self._workers}
        saved_at = self._learner.progress()[0]
        while self._learner.progress()[0] < self._budget:
            ready, _ = ray.wait(list(asked), timeout=min(1.0, self._timeout))
            for reference in ready:
                worker = asked.pop(reference)
                try:
                    block = ray.get(reference)
                except exceptions.RayError as error:
                    self._failed(worker, error)
                else:
                    self._take(worker, block)
                asked[self._ask(worker, self._block_steps)] = worker
            for reference, worker in list(asked.items()):
                if time.monotonic() - worker.asked_at > self._timeout:
                    del asked[reference]
                    self._failed(worker, TimeoutError(f"no answer in {self._timeout:g} s"))
                    asked[self._ask(worker, self._block_steps)] = worker
            env_steps, updates = self._learner.progress()
            if updates - self._weights[0] >= self._weights_every:
                self._put_weights()
            if self._checkpoint_every and env_steps - saved_at >= self._checkpoint_every:
                self._save([None] * len(self._workers))
                saved_at = env_steps

    def _take(self, worker: _Worker, block: bytes) -> None:
        what = self._learner.ingest(block)
        worker.sequence += 1
        worker.failures = 0
        if what != "taken":
            _log.warning("dropping a block of collector %s: it is %s", worker.number, what)

    def _failed(self, worker: _Worker, error: Exception) -> None:
        """Restart a collector that failed, unless it keeps failing."""
        worker.failures += 1
        if worker.failures > 3:
            raise RuntimeError(f"collector {worker.number} failed {worker.failures} times in a row: {error}") from error
        if isinstance(error, exceptions.ObjectStoreFullError | exceptions.OutOfDiskError):
            _log.warning("the object store has no room for a block of collector %s; requesting it again", worker.number)
            time.sleep(_PAUSE)
            return
        _log.warning("restarting collector %s: %s", worker.number, _first_line(error))
        self._restarts += 1
        self._end(worker)
        worker.incarnation += 1
        self._start(worker)

    # In lock-step: all wait for each other.

    def _train_in_step(self) -> None:
        saved_at = self._learner.progress()[0]
        failures = 0
        while self._learner.progress()[0] < self._budget:
            self._put_weights()
            at = self._learner.progress()[0]
            left = -(-(self._budget - at) // self._num_envs)
            steps = self._learner.steps_to_update(min(left, _MOST_IN_STEP))
            try:
                blocks = self._blocks_in_step(steps)
            except (exceptions.RayActorError, exceptions.GetTimeoutError, exceptions.RayTaskError) as error:
                failures += 1
                if failures > 3:
                    raise RuntimeError(f"collectors failed {failures} times in a row: {error}") from error
                self._go_back(error)
                saved_at = self._learner.progress()[0]
                continue
            failures = 0
            self._learner.ingest_in_step(blocks)
            for worker in self._workers:
                worker.sequence += 1
            env_steps = self._learner.progress()[0]
            if self._checkpoint_every and env_steps - saved_at >= self._checkpoint_every:
                self._save(self._states())
                saved_at = env_steps

    def _blocks_in_step(self, steps: int) -> list[bytes]:
        """The next block of each collector. One that did not arrive for want of room is asked for again, and is the same."""
        blocks: dict[int, bytes] = {}
        end = time.monotonic() + self._timeout
        while len(blocks) < len(self._workers):
            asked = [(worker, self._ask(worker, steps)) for worker in self._workers if worker.number not in blocks]
            for worker, reference in asked:
                try:
                    blocks[worker.number] = ray.get(reference, timeout=self._timeout)
                except (exceptions.ObjectStoreFullError, exceptions.OutOfDiskError, exceptions.ObjectLostError) as error:
                    if time.monotonic() > end:
                        raise
                    _log.warning("a block of collector %s did not arrive; requesting it again: %s", worker.number, _first_line(error))
                    time.sleep(_PAUSE)
        return [blocks[worker.number] for worker in self._workers]

    def _states(self) -> list[bytes | None]:
        states = ray.get([worker.actor.save.remote() for worker in self._workers], timeout=self._timeout)
        return [
            None if state is None else worker.sequence.to_bytes(8, "little") + state for worker, state in zip(self._workers, states, strict=True)
        ]

    def _go_back(self, error: Exception) -> None:
        """Go back to the last checkpoint, or to the beginning, with new collectors: what was made since is made again, with its bits."""
        _log.warning("a collector failed; all return to the last checkpoint: %s", _first_line(error))
        self._restarts += 1
        for worker in self._workers:
            self._end(worker)
        looked_at, _ = self._plan.made()
        self._learner = _requel.Learner(self._config, looked_at.source, None)
        self._weights = (-1, None)
        self._begin()

    def _save(self, states: list[bytes | None]) -> None:
        assert self._run_dir is not None
        (self._run_dir / "checkpoints").mkdir(exist_ok=True)
        path = self._learner.save(self._run_dir / "checkpoints", states)
        _log.info("saved %s", path)

    def _result(self) -> ApexResult:
        env_steps, updates = self._learner.progress()
        returns = self._learner.evaluate(1_000_000)
        result = ApexResult(
            env_steps=env_steps,
            updates=updates,
            weights_blake3=self._learner.weights_blake3(),
            mean_return=sum(returns) / max(1, len(returns)),
            blocks=self._learner.counts(),
            restarts=self._restarts,
        )
        if self._run_dir is not None:
            staged = self._run_dir / "result.json.new"
            staged.write_text(json.dumps(dataclasses.asdict(result), indent=2))
            staged.replace(self._run_dir / "result.json")
        return result


def _number(text: str, section: str, key: str) -> int:
    """A whole number of the settings."""
    lines = text.split(f"[{section}]\n", 1)[1].split("\n\n[", 1)[0].splitlines()
    return next((int(line.partition("=")[2]) for line in lines if line.partition("=")[0].strip() == key), 0)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
