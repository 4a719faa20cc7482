"""Training in requel's environments as Gymnasium's: the same weights as by their id, in every mode, resumed with the same bits."""

import pytest
from gymnasium.vector import AutoresetMode

import requel


@pytest.mark.parametrize("count", [1, 4])
def test_a_vector_trains_as_its_id_does_in_every_mode(count, tmp_path):
    train = {"env_steps": 1500, "episodes": 0}
    told = {"preset": "notebook", "seed": 7, "evaluation": {"final_episodes": 2}}
    expected = requel.train("CartPole-v1", run_dir=tmp_path / "id", train={**train, "num_envs": count}, **told)
    for mode in AutoresetMode:
        env = requel.make_vec("CartPole-v1", count, autoreset=mode)
        run = requel.train(env, run_dir=tmp_path / mode.name, train=train, **told)
        assert (run.weights_blake3, run.exactness) == (expected.weights_blake3, "bits")
