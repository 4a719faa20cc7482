"""Statistics on arrays, against tables worked by hand and a slow twin in numpy of what rliable computes."""

import numpy as np
import pytest

from requel import stats

QUICK = {"resamples": 300}


def scores(runs=6, tasks=4, seed=0):
    """Runs x tasks, with ties."""
    return np.round(np.random.default_rng(seed).gamma(2.0, 0.4, size=(runs, tasks)), 1)


def trimmed(values):
    """The mean without the lowest and the highest quarter, rounded down: scipy.stats.trim_mean with 0.25."""
    ordered = np.sort(np.ravel(values))
    cut = int(0.25 * len(ordered))
    return ordered[cut : len(ordered) - cut].mean()


TWINS = {
    "iqm": trimmed,
    "median": lambda table: np.median(table.mean(axis=0)),
    "mean": lambda table: table.mean(axis=0).mean(),
    "optimality_gap": lambda table: 1.0 - np.minimum(table, 1.0).mean(),
}


def test_a_table_worked_by_hand():
    # Three tasks with the means 0.5, 1 and 4; twelve runs, of which the middle six are 0.5, 1, 1, 1, 1 and 2.
    tasks = {"a": [0, 0.5, 0.5, 1], "b": [0, 1, 1, 2], "c": [1, 3, 4, 8]}
    found = stats.aggregates(tasks, ci=None)
    assert found["iqm"] == stats.Estimate(6.5 / 6)
    assert found["median"] == stats.Estimate(1.0)
    assert found["mean"] == stats.Estimate(5.5 / 3)
    assert found["optimality_gap"] == stats.Estimate(0.25)
    # 2 beats 1 and ties with 2, 3 beats both; the other task is lost: 3.5 of 4 and 0 of 1.
    assert stats.probability_of_improvement([[2, 3], [0]], [[1, 2], [5]], ci=None).value == (3.5 / 4 + 0) / 2
    profile = stats.performance_profile(tasks, [0.5, 1, 8], ci=None)
    assert profile.values.tolist() == pytest.approx([(1 / 4 + 3 / 4 + 1) / 3, (0 + 1 / 4 + 3 / 4) / 3, 0], abs=1e-15)


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("seed", range(5))
def test_values_are_rliables(name, seed):
    table = scores(runs=5 + seed, tasks=1 + seed, seed=seed)
    assert getattr(stats, name)(table, ci=None).value == pytest.approx(TWINS[name](table), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_probability_of_improvement_is_rliables(seed):
    x, y = scores(seed=seed), scores(runs=7, seed=seed + 50)
    twin = np.mean([np.mean((a[:, None] > b) + 0.5 * (a[:, None] == b)) for a, b in zip(x.T, y.T, strict=True)])
    assert stats.probability_of_improvement(x, y, ci=None).value == pytest.approx(twin, rel=1e-12)


def test_a_profile_is_rliables():
    table, thresholds = scores(), np.linspace(0, 2, 21)
    twin = [np.mean(table > threshold) for threshold in thresholds]
    assert stats.performance_profile(table, thresholds, ci=None).values == pytest.approx(twin, rel=1e-12)


@pytest.mark.parametrize("name", TWINS)
def test_an_interval_is_about_that_of_a_bootstrap_in_numpy(name):
    table = scores(runs=10, tasks=3)
    rng = np.random.default_rng(1)
    twin = []
    for _ in range(4000):
        drawn = rng.integers(10, size=table.shape)
        twin.append(TWINS[name](np.take_along_axis(table, drawn, axis=0)))
    low, high = np.quantile(twin, [0.05, 0.95])
    found = getattr(stats, name)(table, ci=0.9, resamples=4000)
    # Both are off by chance: a quantile of 4,000 draws by about a thirtieth of the interval.
    assert found.low == pytest.approx(low, abs=(high - low) / 6)
    assert found.high == pytest.approx(high, abs=(high - low) / 6)
    assert found.low <= found.value <= found.high


def test_the_points_of_a_profile_have_intervals():
    profile = stats.performance_profile(scores(), [-1.0, 0.5, 1.0], **QUICK)
    assert profile.low[0] == profile.high[0] == 1.0
    assert (profile.low <= profile.values).all()
    assert (profile.values <= profile.high).all()
    assert profile.low[1] < profile.high[1]


def test_the_same_seed_has_the_same_interval_and_another_another():
    table = scores()
    assert stats.iqm(table, **QUICK) == stats.iqm(table, **QUICK)
    assert stats.iqm(table, **QUICK) != stats.iqm(table, **QUICK, seed=1)


def test_few_runs_have_a_value_and_no_interval():
    for few in ([1.0, 2.0, 3.0, 4.0], [[1.0, 2.0, 3.0, 4.0, 5.0], [1.0]]):
        assert stats.iqm(few, **QUICK).low is None
        assert stats.probability_of_improvement(few, few, **QUICK) == stats.Estimate(0.5)
        assert stats.performance_profile(few, [0.0], **QUICK).low is None
    assert stats.iqm([1.0, 2.0, 3.0, 4.0, 5.0], **QUICK).low is not None


def test_scores_come_as_an_array_a_mapping_or_a_list():
    table = scores()
    for same in (table.tolist(), {"a": table[:, 0], "b": table[:, 1], "c": table[:, 2], "d": table[:, 3]}, list(table.T), table[::1]):
        expected = table if not isinstance(same, list) or isinstance(same[0], np.ndarray) else table.T
        assert stats.median(same, **QUICK) == stats.median(expected, **QUICK)
    assert float(stats.mean([1, 2, 3], ci=None)) == 2.0
    by_name = stats.probability_of_improvement({"a": [1, 2], "b": [0]}, {"b": [5], "a": [0]}, ci=None)
    assert by_name.value == 0.5


def test_scales():
    found = stats.normalize({"a": [10, 60, 110], "b": [0, 1]}, [10, -1], [110, 1])
    assert [task.tolist() for task in found] == [[0.0, 0.5, 1.0], [0.5, 1.0]]
    assert stats.human_normalize([[-20.7, 14.6]], -20.7, 14.6)[0].tolist() == [0.0, 1.0]
    table = scores()
    again = stats.normalize(table, table.min(axis=0), table.max(axis=0))
    assert np.allclose(np.array(again).T, (table - table.min(axis=0)) / np.ptp(table, axis=0), rtol=1e-15)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: stats.iqm([]), "at least one run"),
        (lambda: stats.iqm([1.0, float("nan")]), "NaN"),
        (lambda: stats.iqm(np.zeros((2, 2, 2))), "runs x tasks"),
        (lambda: stats.iqm([1.0], ci=95), "ci=95"),
        (lambda: stats.iqm([1.0], resamples=0), "resamples=0"),
        (lambda: stats.iqm([[1.0], [[2.0]]]), "one number for each run"),
        (lambda: stats.performance_profile([1.0], [float("nan")]), "NaN"),
        (lambda: stats.probability_of_improvement([1.0], [[1.0], [2.0]]), "1 tasks on one side and 2"),
        (lambda: stats.probability_of_improvement({"a": [1]}, {"b": [1]}), "only one side has: a, b"),
        (lambda: stats.normalize([1.0], 1.0, 1.0), "finite and different"),
        (lambda: stats.normalize([1.0], [1.0, 2.0], 3.0), "2 ends of the scale given for 1"),
    ],
)
def test_what_is_no_score_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_scores_on_atari_are_normalised_by_the_published_ones():
    found = stats.atari_normalize({"ALE/Breakout-v5": [1.7, 30.5, 16.1], "MsPacman": [307.3, 6951.6], "kung_fu_master": [258.5]})
    assert list(found) == ["ALE/Breakout-v5", "MsPacman", "kung_fu_master"]
    np.testing.assert_allclose(found["ALE/Breakout-v5"], [0.0, 1.0, 0.5])
    np.testing.assert_allclose(found["MsPacman"], [0.0, 1.0])
    assert found["kung_fu_master"] == [0.0]
    with pytest.raises(ValueError, match="Tetris is not one of the 57 games"):
        stats.atari_normalize({"Tetris": [1.0]})


def test_a_human_scores_more_than_random_actions_on_each_game_that_ale_py_has():
    from requel._atari_scores import RANDOM_AND_HUMAN, name_of

    assert len(RANDOM_AND_HUMAN) == 57 and all(human > random for random, human in RANDOM_AND_HUMAN.values())
    roms = pytest.importorskip("ale_py.roms")
    assert set(RANDOM_AND_HUMAN) <= set(roms.get_all_rom_ids())
    assert name_of("Pong-v5") == name_of("PongNoFrameskip-v4") == "pong"
