"""The documentation says what was measured: its tables and figures follow from committed rows."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skspectral._path.identification import stays
from skspectral._training import schedule

ROOT = Path(__file__).parents[1]
BENCHMARKS, DOCS = ROOT / "benchmarks", ROOT / "docs"
FOLDERS = [BENCHMARKS, BENCHMARKS / "reproduction"]
WRITES = re.compile(r"write_tables\(doc_tables\(|^from appending import run$", re.MULTILINE)
SCRIPTS = {
    path.stem: path
    for folder in FOLDERS
    for path in sorted(folder.glob("*.py"))
    if path.stem != "appending" and WRITES.search(path.read_text(encoding="utf-8"))
}
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def benchmarks():
    """Return the modules that write tables, by name."""
    modules = dict(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            patch.setenv(name, "1")  # scripts set them where they are not
        patch.setattr(sys, "path", [*map(str, FOLDERS), *sys.path])
        yield {name: load(name, path) for name, path in SCRIPTS.items()}
    for name in set(sys.modules) - set(modules):
        if Path(getattr(sys.modules[name], "__file__", None) or "").parent in FOLDERS:
            del sys.modules[name]  # names as short as "documents" are left to others


def load(name, path):
    """Import a script by its path, since a name like "encodings" is that of another module."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tables(benchmarks):
    """Return the text of all tables of each script, made from the committed rows."""
    documents = load("documents", BENCHMARKS / "documents.py")
    return {
        name: {
            table: documents.as_csv(frame)
            for table, frame in module.doc_tables(documents.read_rows(module.RESULTS)).items()
        }
        for name, module in benchmarks.items()
    }


@pytest.mark.parametrize("name", SCRIPTS)
def test_tables_follow_from_the_rows(tables, name):
    for table, text in tables[name].items():
        path = DOCS / "measurements" / f"{table}.csv"
        assert path.read_text(encoding="utf-8") == text, (
            f"{path.name} differs from the rows: run benchmarks/{name}.py without measuring."
        )


def test_every_table_has_a_script_and_every_row_file_a_table(benchmarks, tables):
    written = {f"{table}.csv" for of_script in tables.values() for table in of_script}
    assert written == {path.name for path in DOCS.rglob("*.csv")}
    results = {module.RESULTS.resolve() for module in benchmarks.values()}
    assert results == set((BENCHMARKS / "results").iterdir())


def test_every_table_is_shown_and_nothing_else_is_included():
    pages = [path.read_text(encoding="utf-8") for path in DOCS.rglob("*.rst")]
    for path in DOCS.rglob("*.csv"):
        assert any(path.name in page for page in pages), path.name
    assert not list(DOCS.rglob("*.inc"))


def spread(values, form):
    """Return the range of numbers in words."""
    return f"{form.format(min(values))} to {form.format(max(values))}"


def percent(share):
    return f"{100 * share:.0f}"


def splits_ahead(rows, one, other):
    """Return of each table in how many splits one model is ahead, of how many, and by how much."""
    scores = rows.pivot_table(index=["table", "seed"], columns="model", values="score")
    lead = (scores[one] - scores[other]).dropna().groupby("table")
    return lead.agg(lambda of_table: (of_table > 0).sum()), lead.size(), lead.mean()


def of_real_tables(script):
    """Yield what the page says of seven real tables."""
    rows = script.on_all_splits(pd.read_csv(script.RESULTS))
    error = script.by_model(rows, "std_error")
    size, seconds = (script.by_model(rows, name) for name in ("n_parameters", "fit_seconds"))
    ahead, n, lead = splits_ahead(rows, "5 members", "boosting")
    assert set(ahead.index[ahead == n]) == {"california", "mice", "fashion"}
    assert (ahead[["bank", "wine_red", "wine_white", "adult"]] == 0).all()
    yield f"ahead on California by {lead['california']:.3f}, on the mice by {lead['mice']:.2f}"
    yield f"on Fashion-MNIST by {lead['fashion']:.3f}; behind on Bank by {-lead['bank']:.3f}"
    yield f"on red wine by {-lead['wine_red']:.3f}, on white wine by {-lead['wine_white']:.3f}"
    yield f"on Adult by {-lead['adult']:.3f} nats"
    margin = error.loc["5 members"]
    behind = [name for name in lead.index if lead[name] < -margin[script.NAMES[name]]]
    assert behind == ["adult", "wine_white"]
    wide = size.columns[size.loc["5 members"] > 10_000]
    assert wide.tolist() == ["mice", "Fashion-MNIST"]
    some = size.loc["5 members"].drop(wide)
    yield f"{some.min():,.0f} to {some.max():,.0f} parameters"
    of_one, by_split, _ = splits_ahead(rows, "one fit", "boosting")
    assert (of_one == by_split)[["mice", "fashion"]].all()
    numbers = size.loc["one fit", wide]
    yield f"one fit has {numbers['mice']:,.0f} and {numbers['Fashion-MNIST']:,.0f}"
    share = seconds.loc["one fit"] / seconds.loc["MLP width search"]
    yield f"on Fashion-MNIST in {share['Fashion-MNIST']:.2f} of the time of the width search"
    yield f"on the mice in {share['mice']:.1f} times as long"
    share = seconds.loc["5 members"] / seconds.loc["MLP width search"]
    yield f"{spread(share.drop(wide), '{:.2f}')} of the time of the width search"
    yield f"with {size.loc['boosting, searched', 'white wine']:,.0f} parameters"
    ahead, n, lead = splits_ahead(rows, "one fit", "MLP, scaled columns")
    assert (ahead[["wine_white", "mice"]] == 3).all()
    yield f"{spread(lead[ahead == n], '{:.2f}')} in the mean"
    ahead, n, lead = splits_ahead(rows, "CV", "MLP width search")
    assert ahead.index[ahead == n].tolist() == ["mice"]
    assert ahead.index[ahead == 0].tolist() == ["wine_white"]
    yield f"behind on white wine by {-lead['wine_white']:.3f}, level on the other five"
    pair = size.loc[["CV", "MLP width search"]].dropna(axis=1)
    parts = pair.loc["CV"] / pair.loc["MLP width search"]
    yield f"{spread(100 * parts, '{:.0f}')} % of the parameters"
    slow = seconds.loc[list(script.SLOW)] / seconds.loc["5 members"]
    assert slow.notna().sum(axis=1).tolist() == [6, 7]
    assert slow.columns[slow.loc["EBM"].isna()].tolist() == ["Fashion-MNIST"]
    yield f"takes {spread(slow.loc['EBM'].dropna(), '{:.0f}')} times as long as five networks"
    numbers = size.loc["EBM"].dropna()
    few = spread(numbers.drop("mice"), "{:,.0f}")
    yield f"has {few} numbers, on the mice {numbers['mice']:,.0f}"
    ahead, n, lead = splits_ahead(rows, "5 members", "EBM")
    assert ahead[["california", "mice"]].tolist() == [4, 5]
    yield f"and on the mice by {lead['mice']:.2f} nats on every split"
    last = rows[rows["table"] == "mice"].groupby("seed")["score"].idxmin()
    assert (rows.loc[last, "model"] == "EBM").all()
    assert set(ahead.index[ahead == 0]) == {"wine_white", "bank", "adult"}
    yield f"behind them on California by {lead['california']:.3f} on four of five splits"
    better = "white wine by {wine_white:.3f}, of Bank by {bank:.3f} and of Adult by {adult:.3f}"
    yield better.format(**-lead) + " nats"
    others = slow.loc["RealMLP"].drop("mice")
    yield f"takes {spread(others, '{:.0f}')} times as long on six tables, and a third on the mice"
    assert 0.3 < slow.loc["RealMLP", "mice"] < 0.38
    ahead, n, lead = splits_ahead(rows, "5 members", "RealMLP")
    assert set(ahead.index[ahead == n]) == {"california", "bank", "adult", "fashion"}
    assert ahead.loc[["mice", "wine_red", "wine_white"]].tolist() == [1, 4, 3]
    behind = (
        "on California by {california:.3f}, on Bank by {bank:.3f}, on Adult by {adult:.3f} and "
        "on Fashion-MNIST by {fashion:.3f} nats"
    )
    yield behind.format(**lead)
    yield f"ahead on four of five splits of the mice, by {-lead['mice']:.2f} nats in the mean"
    ahead, n, lead = splits_ahead(rows, "one fit", "RealMLP")
    yield f"of one fit on all, by {-lead['mice']:.2f}, but level with *CV*"
    assert ahead["mice"] == 0
    assert splits_ahead(rows, "CV", "RealMLP")[0]["mice"] in (2, 3)
    slower = seconds.loc["CV"] / seconds.loc["one fit"]
    page = (DOCS / "guide" / "accuracy_and_size.rst").read_text(encoding="utf-8")
    assert f"{spread(slower.dropna(), '{:.0f}')} times the time" in page
    times = spread(seconds.loc["5 members"] / seconds.loc["one fit"], "{:.1f}")
    assert f"five networks take {times} times the time of one in the mean" in page


def of_defaults(script):
    """Yield what the page for those who come from scikit-learn says of the defaults."""
    rows = pd.read_csv(script.RESULTS)
    seconds = script.by_model(rows, "fit_seconds")
    ahead, n, _ = splits_ahead(rows, "one fit", "MLP")
    assert (ahead == n).sum() == 4
    assert set(ahead.index[ahead < n]) == {"wine_red", "wine_white", "mice"}
    nodes = rows[rows["model"] == "one fit"].groupby("table")["nodes"].mean()
    yield f"{spread(nodes, '{:.0f}')} nodes"
    ratio = seconds.loc["one fit"] / seconds.loc["MLP"]
    yield f"{spread(ratio.drop('mice'), '{:.1f}')} of the time"
    yield f"and {ratio['mice']:.0f} times as long on the mice"
    ahead, n, _ = splits_ahead(rows, "one fit", "boosting")
    assert (ahead == 0).sum() == 5


def of_pruning(script):
    """Yield what the page says of pruned tables."""
    rows = pd.read_csv(script.RESULTS)
    pruned = rows[rows["model"] == "pruned"]
    start = pruned["start"].map(lambda sizes: sum(map(int, sizes.split("+"))))
    gone = (1 - pruned["nodes"] / start).groupby([pruned["table"], pruned["start"]]).mean()
    yield f"Between {percent(gone.min())} and {percent(gone.max())} % of the nodes"
    lost = pruned[pruned["loss_per_row"] > np.maximum(pruned["standard_error"], script.ROUNDING)]
    yield f"Of {len(pruned)} fits {len(pruned) - len(lost)} predict the test rows as well"
    for _, row in lost.iterrows():
        errors = row["loss_per_row"] / row["standard_error"]
        yield f"{row['nodes']} of {row['alive']}"
        yield f"{row['loss_per_row']:.1g} nats, {errors:.1f} standard errors"


def of_pruned_images(script):
    """Yield what the page says of trimmed nodes."""
    rows = pd.read_csv(script.RESULTS)
    after = rows[rows["ranking"].isin(["spectral", "lambda", "path"])]
    yield f"{spread(after['alive'], '{}')} of 500 are alive"
    before = rows[(rows["ranking"] == "before training") & (rows["kept"] == 5)]["accuracy"]
    yield f"({int(100 * before.mean())} % with 5 nodes)"


def of_settling(script):
    """Yield how many fits had settled."""
    fits = pd.read_csv(script.RESULTS).groupby("steps")["settled"].agg(["sum", "size"])
    yield "{} of {} fits had settled".format(*fits.loc[15_000])
    yield "At 20,000 steps ({1} fits)".format(*fits.loc[20_000])
    yield "and {} had settled".format(*fits.loc[20_000])
    for cycles in (schedule.MEMBER_CYCLES, schedule.SMALL_TABLE_MEMBER_CYCLES):
        yield ", ".join(f"{steps:,}" for steps in cycles)
    yield f"after {sum(schedule.MEMBER_CYCLES[:2]):,} steps at the earliest"


def of_size_recovery(script):
    """Yield how many sizes one fit finds."""
    rows = pd.read_csv(script.RESULTS)
    published = rows[rows["method"] == "published"]
    wider = published[(published["n_layers"] == 1) & (published["times"] > 1)]["alive_found"]
    yield f"in {wider.sum()} of {len(wider)} cases"
    auto, default = (rows[rows["method"] == method] for method in script.DEFAULTS[::-1])
    noisy, exact = (auto[auto["noise"] == noise] for noise in (0.1, 0))
    yield f"noise of 0.1, {noisy['alive_found'].sum()} of {len(noisy)} sizes are found"
    yield f"without noise {exact['alive_found'].sum()} of {len(exact)}"
    yield f"counted by direction {exact['distinct_found'].sum()} are found"
    deep = default[
        (default["n_layers"] == 2) & (default["teacher"] <= 20) & (default["times"] > 1)
    ]
    yield f"wider starts {deep['alive_found'].sum()} of {len(deep)} sizes are found"
    yield f"(by direction {deep['distinct_found'].sum()})"


def of_restarts(script):
    """Yield how many sizes restarts find."""
    rows = pd.read_csv(script.RESULTS)
    shallow = rows[rows["n_layers"] == 1]
    found = shallow.groupby(["skip", "n_restarts"])["found"].agg(["sum", "size"])
    yield "One fit finds {} of {} of these sizes".format(*found.loc[(False, 0)])
    yield "and restarts {} of {}: they".format(*found.loc[(False, 3)])
    yield "and finds {} of {}, after".format(*found.loc[(True, 0)])
    yield "restarts {} of {}.".format(*found.loc[(True, 3)])
    wide = shallow[(shallow["teacher"] == 40) & ~shallow["skip"]].astype({"alive": int})
    wide = wide.set_index(["noise", "n_restarts"]).sort_index()
    assert wide.loc[(0.0, 3), "found"].all()
    yield f"one fit leaves with {spread(wide.loc[(0.0, 0), 'alive'], '{}')} nodes"
    before, after = wide.loc[(0.1, 0)], wide.loc[(0.1, 3)]
    assert (before["alive"] == 39).all()
    yield f"keep {spread(after['alive'], '{}')} nodes, 39 after one fit"
    assert after["error"].median() < before["error"].median()
    exact = shallow[shallow["skip"] & (shallow["n_restarts"] == 0)]
    is_exact = exact["alive"].astype(int) == exact["teacher"]
    yield f"exact in {is_exact.sum()} of {len(exact)} cases in one fit"
    rows = rows[rows["n_layers"] == 2]
    found = rows.groupby(["teacher", "skip", "n_restarts"])["found"].agg(["sum", "size"])
    yield "With two layers of 10 it finds {} of {}".format(*found.loc[(10, True, 0)])
    yield "one fit without it {} of {}".format(*found.loc[(10, False, 0)])
    after = found.loc[10].xs(3, level="n_restarts")
    assert (after["sum"] == after["size"]).all()
    yield "20 and restarts it finds {} of {}".format(*found.loc[(20, True, 3)])
    yield "they do without it {} of {}".format(*found.loc[(20, False, 3)])
    rows = rows[~rows["skip"]]
    found = rows.groupby(["teacher", "rows", "noise", "n_restarts"])["found"].agg(["sum", "size"])
    assert found.loc[(40, 20_000, 0.0, 0), "sum"] == found.loc[(40, 50_000, 0.1, 0), "sum"] == 0
    yield "{} of {} teachers are found".format(*found.loc[(40, 20_000, 0.0, 3)])
    wide = rows[(rows["teacher"] == 40) & (rows["rows"] == 20_000) & (rows["n_restarts"] == 3)]
    assert 80 < wide["seconds"].median() < 100
    yield "no noise: restarts find {} of {}, one fit none".format(*found.loc[(40, 10_000, 0.0, 3)])
    assert found.loc[(40, 10_000, 0.0, 0), "sum"] == 0
    yield "50,000 rows it is {} of {}".format(*found.loc[(40, 50_000, 0.1, 3)])
    noisy = rows[rows["rows"] == 50_000].set_index(["n_restarts", "seed"])
    missed = noisy.loc[3][~noisy.loc[3, "found"]]
    yield "the other ends with {} and {} nodes".format(*missed["alive"].item().split())
    assert (noisy.loc[3, "error"] < noisy.loc[0, "error"] / 3).all()
    yield "of noise restarts find {} of {}".format(*found.loc[(20, 10_000, 0.1, 3)])
    yield "without noise {} of {}".format(*found.loc[(20, 10_000, 0.0, 3)])
    for noise in (0.0, 0.1):
        both = found.loc[(20, 10_000, noise)]
        assert tuple(both.loc[3]) == tuple(both.loc[0])
    small = rows[(rows["teacher"] == 20) & (rows["noise"] == 0.1)]
    upper = small["alive"].str.split().str[1].astype(int).groupby(small["n_restarts"])
    yield f"upper layer has {spread(upper.get_group(3), '{}')} nodes after restarts"
    yield f"and {spread(upper.get_group(0), '{}')} without"
    errors = small.groupby("n_restarts")["error"].median()
    assert errors[3] < 0.5 * errors[0]


def of_identified_restarts(script):
    """Yield what `size_interval` says of sizes that few rows hardly tell."""
    rows = pd.read_csv(script.RESULTS)
    assert not rows["found"].any()
    yield f"not identified, in {(~rows['identified']).sum()} of {len(rows)} cases"


def of_widths(script):
    """Yield what is left of starts of different widths."""
    rows = pd.read_csv(script.RESULTS)
    left = {name: some for name, some in rows.groupby("network")}
    assert (left["scikit-learn"]["nodes"] == left["scikit-learn"]["width"]).all()
    spectral, dense = (left[name].set_index("width") for name in ("spectral", "dense"))
    yield f"Of a start of 20 nodes {spread(spectral.loc[20, 'nodes'], '{}')} are left"
    wide = spectral[spectral.index >= 50]["nodes"]
    yield f"10 in {(wide == 10).sum()} of {len(wide)} fits"
    assert (dense[dense.index >= 50]["nodes"] == 10).all()
    behind = (spectral["r2"] - dense["r2"])[spectral.index >= 50].mean()
    yield f"in all {len(wide)}, at {behind:.4f} less R2"


def of_merging(script):
    """Yield how many sizes were found without and with mergers."""
    rows = pd.read_csv(script.RESULTS)
    teachers = rows[rows["task"].isin(list(script.TEACHERS))]
    found = [
        script.is_found(task, alive)
        for task, alive in zip(teachers["task"], teachers["alive"], strict=True)
    ]
    counts = teachers.assign(found=found).groupby("training")["found"].agg(["sum", "size"])
    yield f"Over {counts.loc['plain', 'size']} fits"
    yield f"without it ({counts.loc['plain', 'sum']:.0f})"
    yield f"with it ({counts.loc['merged', 'sum']:.0f})"


def of_identified(script):
    """Yield how many sizes are right and identified."""
    rows = pd.read_csv(script.RESULTS)
    identified = np.array([script.judged(row)[1] for _, row in rows.iterrows()])
    right = np.array(
        [script.is_right(*pair) for pair in zip(rows.task, rows.reported, strict=True)]
    )
    teacher = rows.task.isin(list(script.TEACHERS)).to_numpy()
    smooth = rows.task.isin(script.SMOOTH).to_numpy()
    agreed = np.array(
        [script.is_right(row.task, script.agreed(row)) for _, row in rows.iterrows()]
    )
    wrong = rows[teacher & identified & ~right]
    yield f"{len(wrong)} wrong sizes of teachers are called identified: 22 or 23 nodes for 20"
    found = wrong.groupby("task").reported.agg(lambda sizes: sorted(set(map(str, sizes))))
    assert found.to_dict() == {
        "teacher 10": ["12"],
        "teacher 20": ["22", "23"],
        "teacher 5, 5": ["5 3"],
    }
    yield (
        f"Of {teacher.sum()} teachers the size of the default fit is right for "
        f"{(teacher & right).sum()}"
    )
    yield f"agree, for {(teacher & agreed).sum()}; with numbers and noise up to 0.3"
    numbers = teacher & (rows.noise <= 0.3) & ~rows.task.str.startswith("classes")
    yield (
        f"of {numbers.sum()} teachers for {(numbers & right).sum()} and for "
        f"{(numbers & agreed).sum()}, {percent((numbers & agreed).sum() / numbers.sum())} %"
    )
    both = (numbers & right & identified).sum()
    yield (
        f"Of these {numbers.sum()} teachers {both} are identified and right, "
        f"{percent(both / numbers.sum())} %"
    )
    linear = (rows.task == "linear").to_numpy()
    yield f"3 nodes in {(linear & ~right).sum()} of {linear.sum()} fits"
    assert agreed[linear].all()
    yield f"Of {smooth.sum()} smooth tasks {(smooth & identified).sum()} are called identified"
    seeds = rows.groupby(["task", "noise", "n_rows"]).size()
    assert (seeds == 20).all()
    sizes = [
        np.concatenate([script.as_sizes(row[kind]) for kind in ("seed_sizes", "fold_sizes")])
        for _, row in rows.iterrows()
    ]
    extremes = [
        stays(
            [
                (min(layer.min(), n), max(layer.max(), n))
                for layer, n in zip(
                    np.moveaxis(fits, -1, 0), map(int, str(reported).split()), strict=True
                )
            ],
            [*map(int, str(reported).split())],
        )
        for fits, reported in zip(sizes, rows.reported, strict=True)
    ]
    fewer = identified & ~np.array(extremes)
    yield f"{(fewer & teacher).sum()} teachers fewer are identified"
    yield f"{(fewer & smooth).sum()} smooth tasks fewer"


def of_noise_folds(script):
    """Yield what folds gain and lose."""
    rows = pd.read_csv(script.RESULTS).groupby("task").mean(numeric_only=True)
    pairs = rows[["score_folds", "score_residuals"]]
    for name in ("california", "wine_red"):
        yield "{:.3f} against {:.3f}".format(*pairs.loc[name])
    for name in script.MANY_COLUMNS:
        yield "{:.2f} against {:.2f} nats".format(*-pairs.loc[name])
    teachers = rows.loc[list(script.TEACHERS)]
    assert (teachers.alive_nodes_folds - teachers.alive_nodes_residuals).abs().max() <= 1
    ratios = script.doc_tables(pd.read_csv(script.RESULTS))["noise_folds"].set_index("task").ratio
    assert ratios.drop("Adult").between(1.5, 7.6).all()
    assert ratios["Adult"] > 10


def of_gpu(script):
    """Yield what the page says of training on a GPU."""
    result = json.loads(script.RESULTS.read_text(encoding="utf-8"))
    yield f"one {result['device']}"
    small, *_, large = result["epochs"]
    times = f"{small['skorch'] / small['ours']:.0f} times as fast as stock skorch"
    assert times in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert 0.9 < small["ours"] / small["products"] < 1.1
    yield f"takes {large['ours'] / large['products'] - 1:.1f} of their time"
    steps = [row["gpu"] for row in result["switch"] if row["products"] < 330e6]
    assert 0.145e-3 < min(steps) < max(steps) < 0.364e-3
    for row in result["fleets"]["sizes"]:
        assert 2 < row["fleet"] / row["one by one"] < 2.5 < 1.1 * row["cores"] / row["fleet"]


def of_students(script):
    """Yield what the page says of students of other models."""
    rows = pd.read_csv(script.RESULTS)
    means = rows.groupby(["teacher", "table"]).mean(numeric_only=True)
    of_numbers = ["california", "wine_red", "wine_white"]
    is_numbers = means.index.get_level_values("table").isin(of_numbers)
    far = {
        who: (1 - means[f"{who}_fidelity"]).where(is_numbers, means[f"{who}_fidelity"])
        for who in ("student", "network")
    }
    left = far["student"] / far["network"]
    yield f"of boosting is {spread(left['boosting'], '{:.2f}')} of that of the network"
    assert set(left["boosting"].index[left["boosting"] > 0.7]) == {"wine_red", "fashion"}
    yield f"of a forest {spread(left['forest'], '{:.2f}')}"
    yield f"of five networks {spread(left['five networks'], '{:.2f}')}"
    on_mice = rows[(rows["table"] == "mice") & (rows["teacher"] == "five networks")]
    gain = on_mice["student_score"] - on_mice["teacher_score"]
    yield f"higher than its teacher, by {gain.mean():.2f} nats and on four of five splits"
    assert (gain > 0).sum() == 4
    boosting = means.loc["boosting"]
    gain = boosting["student_score"] - boosting["network_score"]
    assert set(gain.index[gain < 0]) == {"bank", "fashion"}
    assert (rows.groupby(["teacher", "table"]).size() == 5).all()
    images = rows[(rows["table"] == "fashion") & (rows["teacher"] == "boosting")]
    assert 0 < (images["student_score"] > images["network_score"]).sum() < 5
    beside_teacher = boosting["student_score"] - boosting["teacher_score"]
    assert set(beside_teacher.index[beside_teacher < 0]) == {"california", "adult"}
    for name in ("wine_white", "wine_red"):
        row = boosting.loc[name]
        yield (
            f"boosting {row.teacher_score:.2f}, student {row.student_score:.2f}, "
            f"network {row.network_score:.2f}"
        )
    share = 100 * boosting["student_bytes"] / boosting["teacher_bytes"]
    yield f"{spread(share.drop('mice'), '{:.0f}')} % of the bytes of boosting"
    yield f"({share['mice']:.0f} % on the mice"
    longer = boosting["student_microseconds"] / boosting["teacher_microseconds"]
    small = ["wine_red", "wine_white", "mice"]
    yield f"takes {spread(longer[small], '{:.1f}')} times as long"
    yield f"{spread(longer.drop([*small, 'fashion']), '{:.1f}')} of the time"
    assert longer["fashion"] == pytest.approx(0.01, abs=0.003)
    forest = means.loc["forest"]
    yield f"{spread(forest['teacher_bytes'] / forest['student_bytes'], '{:.0f}')} times as large"


def of_synthetic_rows(script):
    """Check what the page says of numbers and kinds of synthetic rows."""
    rows = pd.read_csv(script.RESULTS)
    is_divergence = rows["table"] == "bank"
    rows["close"] = rows["fidelity"].where(~is_divergence, -rows["fidelity"])
    close = rows.groupby(["rows", "table"])["close"].mean().unstack()
    order = ["none", "columns, as many", "columns, 4 times", "columns, 16 times"]
    assert (close.loc[order].diff().iloc[1:] > -1e-3).all(axis=None)
    assert (close.loc["mixtures, 4 times"] < close.loc["columns, 4 times"] + 1e-3).all()
    seconds = rows.groupby("rows")["cpu_seconds"].sum()
    yield f"at {seconds['columns, 16 times'] / seconds['columns, 4 times']:.1f} times the time"


def of_known_teacher(script):
    """Yield what students find that may ask the teacher."""
    rows = pd.read_csv(script.RESULTS).set_index(["rows", "learns"]).sort_index()
    nodes = rows["nodes"]
    yield f"the data give {spread(nodes[5000, 'data'], '{}')} nodes"
    asked = rows.loc[(5000, "asked")]
    yield f"students have {spread(asked['nodes'], '{}')} nodes"
    assert asked["error"].max() < 1e-8
    yield f"{spread(nodes[2000, 'asked'], '{}')} nodes after {spread(nodes[2000, 'data'], '{}')}"


def of_decompositions(script):
    """Yield what the text says of layers that train a part of their eigenvectors."""
    rows = pd.read_csv(script.RESULTS)
    keys = ["images", "nodes", "trained"]
    accuracy = (100 * rows.groupby(keys)["accuracy"].mean()).round(1)
    n_parameters = rows.groupby(keys)["n_parameters"].first()
    for name in ("mnist", "fashion_mnist"):
        one, both = accuracy[name, 300, "one set"], accuracy[name, 300, "both sets"]
        yield f"from {one} to {both} %"
    gains = (accuracy.xs("SVD", level=2) - accuracy.xs("both sets", level=2)).round(1)
    yield f"add {gains['mnist'].min()} to {gains['mnist'].max()} points on MNIST"
    yield f"at most {gains['fashion_mnist'].max()} on Fashion-MNIST"
    gaps = (accuracy.xs("dense", level=2) - accuracy.xs("QR", level=2)).round(1)
    yield f"{gaps['mnist', 300]} points below the dense network on MNIST and"
    yield f"and {gaps['fashion_mnist', 300]} on Fashion-MNIST, with a fifth"
    yield f"it is {gaps['mnist', 30]} and {gaps['fashion_mnist', 30]} points below"
    shares = n_parameters.xs("dense", level=2) / n_parameters.xs("QR", level=2)
    assert (round(shares["mnist", 300]), round(shares["mnist", 30])) == (5, 17)
    few, triangle = ("mnist", 30, "dense"), ("mnist", 300, "QR")
    assert round(n_parameters[triangle] / n_parameters[few]) == 2
    yield f"{accuracy[few]} against {accuracy[triangle]} %"

    def told(nodes, trained, joined="{} and {} %"):
        of_images = [accuracy[name, nodes, trained] for name in ("mnist", "fashion_mnist")]
        return f"{n_parameters['mnist', nodes, trained]:,} parameters", joined.format(*of_images)

    joined = "{} and on Fashion-MNIST {} %"
    yield "8 dense nodes, {}, reach {}".format(*told(8, "dense", joined))
    yield "100 nodes with a triangle, {}, {}".format(*told(100, "QR"))
    yield "2 dense nodes, {}, reach {}".format(*told(2, "dense"))
    yield "300 nodes with both sets of eigenvalues, {}, {}".format(*told(300, "both sets"))


def of_decomposition_rates(script):
    """Yield how far the rates that are taken are from the best ones."""
    rows = pd.read_csv(script.RESULTS)
    assert script.NODES == 100
    of_rate = 100 * rows.groupby(["trained", "rate"])["accuracy"].mean()
    taken = of_rate[list(script.PEAK_RATES.items())].droplevel("rate")
    lost = (of_rate.groupby("trained").max() - taken).round(1)
    assert (lost[["both sets", "dense"]] == 0).all()
    yield f"within {lost[['SVD', 'QR']].max()} points of it for SVD and QR"
    yield f"one set of eigenvalues loses {lost['one set']} points"


def of_columns(script):
    """Yield what the text says of the columns that are found."""
    rows = pd.read_csv(script.RESULTS)
    counts = rows["task"].map(script.TASKS)
    exact = (rows["n_kept"] == counts) & (rows["n_missed"] == 0)
    found = exact.groupby([rows["task"], rows["method"]]).agg(["sum", "size"])
    one, other = 'network, "inputs"', 'network, "in"'
    yield "exactly the columns that count in {} of {} seeds of *Friedman*".format(
        *found.loc[("friedman", one)]
    )
    yield "{} of {} of *many* and".format(*found.loc[("many", one)])
    yield "and {} of {} of *independent*".format(*found.loc[("independent", one)])
    yield "exact in {} of {} seeds of *many*".format(*found.loc[("many", other)])
    in_vain = rows["n_kept"] - counts + rows["n_missed"]
    by_fit = rows.assign(in_vain=in_vain).set_index(["task", "method"]).sort_index()
    yield f"where up to {by_fit.loc[('independent', one), 'in_vain'].max()} others stay"
    missed = by_fit.loc[("correlated", one), "n_missed"]
    assert missed.max() == 1
    yield f"it misses one of ten in {missed.sum()} of {len(missed)} seeds"
    seconds = by_fit.groupby(level=[0, 1])["seconds"].median().unstack()
    assert (seconds[other] > seconds[one]).all()
    some = by_fit.loc[("friedman", other), "in_vain"]
    yield f"keeps {spread(some, '{:.0f}')} in vain of *Friedman*"
    assert by_fit.loc[(list(script.GRADED), other), "n_kept"].ge(19).all()
    twice = by_fit.xs(f"{other}, twice the factor", level="method")
    yield f"it keeps {spread(twice['in_vain'], '{:.0f}')} columns in vain"
    assert twice["n_missed"].max() == 1
    yield f"misses one in {twice['n_missed'].sum()} of {len(twice)} fits"
    shuffled = by_fit.xs("permutation", level="method")
    two_classes = shuffled.loc[["independent", "correlated"], "n_missed"]
    yield f"miss {spread(two_classes, '{:.0f}')} of the ten columns"
    yield f"puts {spread(shuffled.loc['many', 'in_vain'], '{:.0f}')} others above"
    lasso = by_fit.xs("lasso", level="method")
    yield f"keeps up to {lasso['in_vain'].max()} columns in vain"
    unseen = lasso.loc["friedman", "n_missed"]
    assert unseen.max() == 1
    yield f"it misses one in {unseen.sum()} of {len(unseen)} seeds"
    yield f"{spread(by_fit.loc[('many', 'LassoNet'), 'n_kept'], '{:.0f}')} of *many*"
    assert by_fit.loc[(slice(None), "SHAP"), "n_kept"].isin((20, 30)).all()
    ranks = by_fit.loc[list(script.GRADED), "rank"].groupby(level=[0, 1]).mean().unstack()
    low = pd.concat([ranks.pop("network, default"), ranks.pop(other)])
    yield f"{spread(low, '{:.2f}')} against {spread(ranks.stack(), '{:.2f}')}"


def of_pixels(script):
    """Yield what the text says of networks that see a few pixels."""
    rows = pd.read_csv(script.RESULTS)
    assert set(rows.groupby("method")["seed"].nunique()) == {len(script.SEEDS)}
    kept = rows.groupby("method")["n_kept"].agg(["min", "max"])
    means = 100 * rows.groupby("method").mean()
    one, other = 'network, "inputs"', 'network, "in"'
    yield '``"inputs"`` keeps {} to {} of 784 pixels'.format(*kept.loc[one])
    yield f"of which a network reaches {means.loc[one, 'accuracy_kept']:.1f} %"
    yield f"all pixels give {means.loc['all', 'accuracy_kept']:.1f} %"
    best = means["accuracy_25"]
    yield f'and ``"in"`` reach {best[one]:.0f} and {best[other]:.0f} %'
    ours = [name for name in best.index if name.startswith(other)]
    yield f"methods without eigenvalues of columns {spread(best.drop([one, *ours]), '{:.0f}')} %"
    assert (kept.loc["LassoNet"] == 784).all()


def of_skip(script):
    """Yield how many sizes are exact with and without a linear skip."""
    rows = pd.read_csv(script.RESULTS)
    teachers = rows[rows["task"].isin(script.TEACHERS)]
    assert (teachers.groupby(["task", "teacher", "rows", "skip"]).size() == 5).all()
    exact = teachers.assign(exact=teachers.apply(script.is_within, axis=1, share=0, least=0))
    counts = exact.groupby("skip")["exact"].agg(["sum", "size"])
    yield "the size is exact in {} of {} fits with the skip".format(*counts.loc[1])
    yield f"and in {counts.loc[0, 'sum']} without"
    linear = exact[(exact["task"] == "linear") & (exact["skip"] == 1)]["exact"]
    yield f"no node in {linear.sum()} of {len(linear)} fits"
    pairs = teachers.pivot_table(
        index=["task", "teacher", "rows", "seed"], columns="skip", values=["score", "cpu_seconds"]
    )
    lower = (pairs["score", 1] < pairs["score", 0]).sum()
    yield f"error is smaller in {lower} of {len(pairs)} pairs"
    real = rows[rows["task"].isin(script.REAL)]
    scores = real.pivot_table(index=["task", "seed"], columns="skip", values="score")
    assert len(scores) == 10
    assert (scores[1] < scores[0]).all()


def of_members(script):
    """Yield which factor of the penalty is the better one for several networks."""
    rows = pd.read_csv(script.RESULTS)
    settings = ["n_members", "factor"]
    scores = rows.pivot_table(index=["table", "seed"], columns=settings, values="score").dropna()
    gain = (scores[5, 0.25] - scores[5, 0.5]).groupby("table")
    assert (gain.min()[["wine_white", "california"]] > 0).all()
    assert gain.min()["wine_red"] < 0 < gain.max()["wine_red"]
    alone = (scores[1, 0.25] - scores[1, 0.5]).groupby("table").mean()
    assert (alone[["wine_white", "wine_red"]] < 0).all()
    few, many = ["cancer", "digits", "mice"], ["bank", "adult"]
    assert (gain.max()[few] < 0).all()
    yield f"0.25 loses {spread(-gain.mean()[few], '{:.3f}')} nats in the mean"
    yield f"it gains {spread(gain.mean()[many], '{:.3f}')}"


def of_members_cost(script):
    """Yield what five networks cost as a multiple of one fit."""
    rows = pd.read_csv(script.RESULTS)
    assert (rows.groupby("task")["seed"].nunique() == 5).all()
    yield f"on tables of up to {rows['columns'].max()} columns"
    ratio = rows["seconds_five"] / rows["seconds_one"]
    medians = ratio.groupby(rows["task"]).median()
    assert (medians <= 2.5).all()
    yield f"{spread(medians, '{:.1f}')} times the time of one in the median of a table"
    yield f"up to {ratio.max():.1f} times where some"
    shorter = (rows["seconds_longer"] / rows["seconds_five"]).median()
    yield f"take {shorter:.1f} times the time of the shorter ones"
    gains = (rows["score_longer"] - rows["score_five"]).groupby(rows["task"])
    assert gains.min()["california"] > 0
    gain = gains.mean()
    yield f"add {gain.pop('california'):.3f} to R2 on California, on every split"
    yield f"the mean difference is {gain.abs().max():.3f} at most"


def of_few_rows(script):
    """Yield how five networks and restarts compare with one fit where rows are few."""
    rows = pd.read_csv(script.RESULTS)
    errors = rows.pivot_table(index=["task", "rows", "seed"], columns="model", values="error")
    few = errors[errors.index.get_level_values("rows") <= 200]
    ahead = (few["five networks"] < few["one fit"]).sum()
    yield f"closer to the truth than one fit in {ahead} of {len(few)} pairs"
    yield f"than boosting in {(few['five networks'] < few['boosting']).sum()} of {len(few)}"
    medians = rows.groupby(["rows", "task", "model"])[["error", "nodes", "cpu_seconds"]].median()
    seconds = medians.loc[:200, "cpu_seconds"].unstack("model")
    five, one = (spread(seconds[name], "{:.1f}") for name in ("five networks", "one fit"))
    yield f"at {five} s against {one} s"
    first = medians.loc[200, "friedman1"].loc
    nodes = (first[name]["nodes"] for name in ("one fit", "restarts"))
    ratio = first["restarts"] / first["one fit"]
    yield (
        "one fit ends with {:.0f} nodes, restarts with {:.0f}, ".format(*nodes)
        + f"at {ratio['error']:.2f} of its error and {ratio['cpu_seconds']:.0f} times its time"
    )
    many = medians.loc[1000, "error"].unstack("model")
    assert many.loc["friedman2", "one fit"] < 1.01 * many.loc["friedman2", "five networks"]
    ratio = many["one fit"] / many["five networks"]
    yield f"has {ratio['friedman1']:.1f} times their error on the first"


CLAIMS = [
    ("few_rows", "docs/guide/accuracy_and_size.rst", of_few_rows),
    ("members", "docs/guide/accuracy_and_size.rst", of_members),
    ("members_cost", "docs/guide/accuracy_and_size.rst", of_members_cost),
    ("skip", "docs/measurements/skip.rst", of_skip),
    ("gpu", "docs/guide/gpu.rst", of_gpu),
    ("tables", "docs/measurements/real_tables.rst", of_real_tables),
    ("tables", "docs/guide/coming_from_mlp.rst", of_defaults),
    ("pruning_tables", "docs/measurements/pruning.rst", of_pruning),
    ("pruning_images", "docs/measurements/pruning.rst", of_pruned_images),
    ("settling", "docs/measurements/settling.rst", of_settling),
    ("size_recovery", "docs/measurements/size_recovery.rst", of_size_recovery),
    ("restarts", "docs/measurements/size_recovery.rst", of_restarts),
    ("restarts_identified", "docs/measurements/size_recovery.rst", of_identified_restarts),
    ("widths", "docs/measurements/size_recovery.rst", of_widths),
    ("merging", "docs/measurements/size_recovery.rst", of_merging),
    ("identified", "docs/measurements/identified.rst", of_identified),
    ("noise_folds", "docs/guide/noise.rst", of_noise_folds),
    ("students", "docs/guide/students.rst", of_students),
    ("synthetic_rows", "docs/guide/students.rst", of_synthetic_rows),
    ("known_teacher", "docs/guide/students.rst", of_known_teacher),
    ("column_selection", "docs/measurements/inputs.rst", of_columns),
    ("pixel_selection", "docs/measurements/inputs.rst", of_pixels),
    ("decompositions", "docs/measurements/decompositions.rst", of_decompositions),
    ("decomposition_rates", "docs/measurements/decompositions.rst", of_decomposition_rates),
]


@pytest.mark.parametrize(("name", "page", "claims"), CLAIMS)
def test_figures_in_the_text_follow_from_the_rows(benchmarks, name, page, claims):
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    missing = [claim for claim in claims(benchmarks[name]) if claim not in text]
    assert not missing
