"""A search for settings with Optuna: trials that fall behind are ended early. `pip install optuna`."""

import pathlib
import tempfile

import optuna

import requel


def objective(trial, env_steps, root):
    def prune(event):
        if isinstance(event, requel.events.Evaluated):
            trial.report(event.score.mean_return, event.env_steps)
            if trial.should_prune():
                raise optuna.TrialPruned

    run = requel.train(
        "CartPole-v1",
        algo="double-dqn",
        # No seed of a trial is one that its result is reported on.
        seed=trial.number,
        run_dir=root / str(trial.number),
        callback=prune,
        train={"env_steps": env_steps},
        optimizer={"learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)},
        agent={"gamma": trial.suggest_float("gamma", 0.9, 0.999)},
        evaluation={"every_steps": max(env_steps // 10, 1)},
    )
    return run.final.mean_return


def main(env_steps=10_000, trials=20):
    root = pathlib.Path(tempfile.mkdtemp())
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(n_warmup_steps=env_steps // 5))
    # The GIL is free while requel's own environments are learned in: threads are enough.
    study.optimize(lambda trial: objective(trial, env_steps, root), n_trials=trials, n_jobs=2)
    print(study.best_params, study.best_value)
    return study


if __name__ == "__main__":
    main()
