"""Mixed-type tables in pipelines: Adult, Bank and Titanic, where they are at hand."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, recall_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import SpectralMLPClassifier, SpectralMLPClassifierCV, to_onnx, to_sklearn
from skspectral.preprocessing import make_tabular_preprocessor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Found unknown categories:UserWarning"
)
ADULT_COLUMNS = (
    "age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,"
    "race,sex,capital-gain,capital-loss,hours-per-week,native-country,income"
)


def adult(folder):
    table = pd.read_csv(
        folder / "adult" / "adult.data.gz",
        names=ADULT_COLUMNS.split(","),
        skipinitialspace=True,
        na_values="?",
    )
    return table.drop(columns="income"), table["income"] == ">50K"


def bank(folder):
    table = pd.read_csv(folder / "bank_marketing" / "bank-additional-full.csv.gz", sep=";")
    table["pdays"] = table["pdays"].astype(float).replace(999, np.nan)
    return table.drop(columns=["duration", "y"]), table["y"] == "yes"


def titanic(folder):
    table = pd.read_csv(folder / "titanic" / "train.csv")
    columns = ["Pclass", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"]
    return table[columns], table["Survived"] == 1


@pytest.fixture(scope="module", params=[adult, bank, titanic])
def table(request):
    """Return X, X_test, y, y_test; at most 2,000 rows for training."""
    folder = Path(os.environ.get("SKSPECTRAL_DATA", "nowhere"))
    if not (folder / "bank_marketing").is_dir():
        pytest.skip("the tables are not there (SKSPECTRAL_DATA)")
    X, y = request.param(folder)
    rows = min(2000, len(X) * 2 // 3)
    return train_test_split(X, y.to_numpy(), train_size=rows, stratify=y, random_state=0)


def network(**settings):
    return SpectralMLPClassifier(32, alpha=5e-3, max_iter=80, random_state=0, **settings)


@pytest.fixture(scope="module")
def fitted(table):
    X, _, y, _ = table
    return make_pipeline(make_tabular_preprocessor(n_quantiles=50), network()).fit(X, y)


def test_tables_have_what_they_are_here_for(table):
    X, _, y, _ = table
    assert X.isna().any().any()
    assert X.select_dtypes(exclude="number").shape[1] > 0
    assert y.mean() < 0.45


def test_network_is_better_than_a_linear_model_or_as_good(fitted, table):
    X, X_test, y, y_test = table
    linear = make_pipeline(clone(fitted[0]), LogisticRegression(max_iter=1000)).fit(X, y)
    loss = log_loss(y_test, fitted.predict_proba(X_test))
    assert loss < log_loss(y_test, linear.predict_proba(X_test)) + 0.005
    assert loss < log_loss(y_test, np.full(len(y_test), y.mean())) - 0.02
    assert 1 <= fitted[-1].n_alive_nodes_[0] <= 16


def test_probabilities_are_calibrated(fitted, table):
    """Curve near the diagonal: within 0.1 where a bin's own noise allows to tell."""
    _, X_test, _, y_test = table
    proba = fitted.predict_proba(X_test)[:, 1]
    assert proba.mean() == pytest.approx(y_test.mean(), abs=0.05)
    share, mean = calibration_curve(y_test, proba, n_bins=5, strategy="quantile")
    noise = np.sqrt(share * (1 - share) / (len(y_test) / 5))
    assert (np.abs(share - mean) < 0.1 + 2 * noise).all()


def test_class_weight_finds_more_of_the_rare_class(fitted, table):
    X, X_test, y, y_test = table
    weighted = make_pipeline(clone(fitted[0]), network(class_weight="balanced")).fit(X, y)
    plain = recall_score(y_test, fitted.predict(X_test))
    assert recall_score(y_test, weighted.predict(X_test)) > plain + 0.02
    proba = weighted.predict_proba(X_test)[:, 1]
    assert proba.mean() > fitted.predict_proba(X_test)[:, 1].mean() + 0.05


def test_calibration_mends_weighted_probabilities(fitted, table):
    X, X_test, y, y_test = table
    if y.mean() > 0.3:
        pytest.skip("classes are too even for weights to do harm")
    weighted = make_pipeline(clone(fitted[0]), network(class_weight="balanced"))
    mended = CalibratedClassifierCV(weighted, cv=2, method="sigmoid").fit(X, y)
    off = log_loss(y_test, weighted.fit(X, y).predict_proba(X_test))
    assert log_loss(y_test, mended.predict_proba(X_test)) < off


def test_unseen_categories_and_empty_rows_get_a_probability(fitted, table):
    _, X_test, _, _ = table
    row = X_test.iloc[[0]].copy()
    name = row.select_dtypes(exclude="number").columns[0]
    row[name] = "never seen"
    gone = row.mask(np.ones(row.shape, dtype=bool))
    proba = fitted.predict_proba(pd.concat([row, gone]))
    assert np.isfinite(proba).all()


def test_pipeline_is_exported_as_it_is(fitted, table):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("skl2onnx")
    _, X, _, _ = table
    expected = fitted.predict_proba(X)
    np.testing.assert_allclose(to_sklearn(fitted).predict_proba(X), expected, atol=1e-6)
    session = onnxruntime.InferenceSession(
        to_onnx(fitted).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    inputs = {
        column.name: X[[column.name]].to_numpy(object if "string" in column.type else float)
        for column in session.get_inputs()
    }
    np.testing.assert_allclose(session.run(None, inputs)[-1], expected, atol=1e-5)


def test_skrub_vectorizer_encodes_too(fitted, table):
    skrub = pytest.importorskip("skrub")
    X, X_test, y, y_test = table
    model = make_pipeline(
        skrub.TableVectorizer(numeric=StandardScaler()),
        SimpleImputer(strategy="median", add_indicator=True),
        network(),
    ).fit(X, y)
    own = log_loss(y_test, fitted.predict_proba(X_test))
    assert log_loss(y_test, model.predict_proba(X_test)) < own + 0.05
    assert len(model[:-1].get_feature_names_out()) == model[-1].n_features_in_


def test_size_by_cross_validation(table):
    X, X_test, y, y_test = table
    chosen = SpectralMLPClassifierCV(
        32, alphas=[1e-3, 5e-3, 2e-2], cv=2, max_iter=40, random_state=0
    )
    model = make_pipeline(make_tabular_preprocessor(n_quantiles=50), chosen).fit(X, y)
    assert log_loss(y_test, model.predict_proba(X_test)) < log_loss(
        y_test, np.full(len(y_test), y.mean())
    )
    assert 1 <= sum(model[-1].n_alive_nodes_) <= 16
