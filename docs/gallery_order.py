"""The order of the examples in the gallery: what most readers ask comes first."""

from pathlib import Path

ORDER = [
    "plot_california_housing",
    "plot_how_many_nodes",
    "plot_choose_penalty",
    "plot_mixed_tables",
    "plot_reading_nodes",
    "plot_prune_network",
    "plot_select_inputs",
    "plot_fold_ensemble",
    "plot_student_of_boosting",
    "plot_teacher_student",
]


def place(path):
    """Return the place of an example, given by its path or file name."""
    return ORDER.index(Path(path).stem)
