"""What `ditto eval ablation` and `ditto eval study` do."""

from __future__ import annotations

import argparse

from ditto.errors import InvalidInputError
from ditto.evaluation import ablation_table
from ditto.evaluation import study as user_study
from ditto.evaluation.published import ABLATION
from ditto.evaluation.report_text import table


def ablation(options: argparse.Namespace) -> int:
    """Print the table of trained variants, the paper's below."""
    results = ablation_table.read_results(options.folder)
    head = ("variant", "seeds", *ablation_table.MEASURES, "")
    print(table(head, ablation_table.rows(results)))
    print(f"\n{ABLATION.title} of the paper:\n{table(ABLATION.columns, ABLATION.rows)}")
    return 0


def study(options: argparse.Namespace) -> int:
    """Write the page, or print the table of saved answers."""
    if options.results:
        head = ("method", *user_study.QUESTIONS)
        print(table(head, user_study.results_rows(options.results)))
        return 0
    if options.output is None:
        raise InvalidInputError("--output", "say where the page goes, or give --results")
    names = [folder.name for folder in options.folders]
    if len(set(names)) < len(names):
        raise InvalidInputError("FOLDER", "two folders have the same name")
    methods = dict(zip(names, options.folders, strict=True))
    count = user_study.write_page(methods, options.output)
    print(f"{options.output}: {count} comparisons; open it in a browser")
    return 0
