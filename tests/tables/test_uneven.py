"""Lists of several lengths, which make no array."""

import numpy as np
import pytest

from skspectral._tables.uneven import is_uneven, uneven_named

UNEVEN = [[1], [2, 3]]


@pytest.mark.parametrize("values", [None, 3, "a", {}, [1, 2], [[1], [2]], [[1, "a"]], object])
def test_other_values_are_not_uneven(values):
    assert not is_uneven(values)
    assert is_uneven([*UNEVEN])


def test_uneven_lists_are_named():
    with pytest.raises(ValueError, match="`y` must hold entries of one length; got lists of sev"):  # noqa: SIM117
        with uneven_named(X=[[1], [2]], y=UNEVEN):
            np.asarray(UNEVEN)


@pytest.mark.parametrize("error", [ValueError("another"), TypeError("inhomogeneous")])
def test_other_errors_pass(error):
    with pytest.raises(type(error), match=str(error)), uneven_named(X=UNEVEN):
        raise error
