"""A search for settings with Optuna, in threads and in processes: trials that fall behind are ended early. `pip install optuna`."""

import multiprocessing
import pathlib
import tempfile

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import MaxTrialsCallback

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


def work(root, env_steps, trials, threads):
    """Goes on with the study in a directory until it has so many trials at least, whoever else does so too."""
    study = optuna.create_study(
        study_name="sweep",
        storage=JournalStorage(JournalFileBackend(str(root / "study.log"))),
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_warmup_steps=env_steps // 5),
        load_if_exists=True,
    )
    # The GIL is free while requel's own environments are learned in: threads are enough, and processes for environments in Python.
    study.optimize(lambda trial: objective(trial, env_steps, root), n_jobs=threads, callbacks=[MaxTrialsCallback(trials, states=None)])
    return study


def main(env_steps=10_000, trials=20, threads=2, processes=2):
    root = pathlib.Path(tempfile.mkdtemp())
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=work, args=(root, env_steps, trials, threads)) for _ in range(processes - 1)]
    for other in others:
        other.start()
    study = work(root, env_steps, trials, threads)
    for other in others:
        other.join()
    print(study.best_params, study.best_value)
    return study


if __name__ == "__main__":
    main()
