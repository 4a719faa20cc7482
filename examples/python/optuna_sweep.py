"""A search for settings with Optuna, in threads and in processes: trials that fall behind are ended early. `pip install optuna`."""

import multiprocessing
import tempfile

import optuna

import requel


def objective(trial, env_steps, root):
    def prune(event):
        if isinstance(event, requel.events.Evaluated):
            trial.report(event.score.mean_return, event.env_steps)
            if trial.should_prune():
                raise optuna.TrialPruned

    return requel.train(
        "CartPole-v1",
        algo="double-dqn",
        seed=trial.number,  # no seed of a trial is one that its result is reported on
        run_dir=f"{root}/{trial.number}",
        callback=prune,
        train={"env_steps": env_steps},
        optimizer={"learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)},
        agent={"gamma": trial.suggest_float("gamma", 0.9, 0.999)},
        evaluation={"every_steps": max(env_steps // 10, 1)},
    ).final.mean_return


def work(root, env_steps, trials, threads):
    """Goes on with the study in a directory until it has so many trials at least, whoever else does so too."""
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(f"{root}/study.log"))
    pruner = optuna.pruners.MedianPruner(n_warmup_steps=env_steps // 5)
    study = optuna.create_study(storage=storage, study_name="sweep", direction="maximize", pruner=pruner, load_if_exists=True)
    # The GIL is free while requel's own environments are learned in: threads are enough, and processes for environments in Python.
    study.optimize(lambda trial: objective(trial, env_steps, root), n_jobs=threads, callbacks=[optuna.study.MaxTrialsCallback(trials, states=None)])
    return study


def main(env_steps=10_000, trials=20, threads=2, processes=2):
    root = tempfile.mkdtemp()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        study = pool.starmap(work, [(root, env_steps, trials, threads)] * processes)[0]
    print(study.best_params, study.best_value)
    return study


if __name__ == "__main__":
    main()
