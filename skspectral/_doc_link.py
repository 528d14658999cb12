"""The "?" in scikit-learn's HTML view of estimators: it leads to the pages of this project."""

# SPDX-License-Identifier: BSD-3-Clause

SITE = "https://skspectral.github.io/skspectral"
API_PAGE = f"{SITE}/api/generated/{{estimator_module}}.{{estimator_name}}.html"
"""Where the page of a public name is, in the words of scikit-learn's template."""


class DocLinkMixin:
    """Link an estimator to its page; it stands before `BaseEstimator`, whose link it replaces."""

    _doc_link_module = "skspectral"
    _doc_link_template = API_PAGE


class EncodingLinkMixin(DocLinkMixin):
    """Link a private step to the page of the function that makes it."""

    _doc_link_template = API_PAGE.format(
        estimator_module="skspectral.preprocessing", estimator_name="make_tabular_preprocessor"
    )
