# SPDX-License-Identifier: Apache-2.0
"""The passes: operators that read a batch once and add to every statistic that was asked for."""

from fastmetrics.passes.amounts import add_amounts_
from fastmetrics.passes.binary import binary_
from fastmetrics.passes.calibration import calibration_, calibration_rows_
from fastmetrics.passes.exact_match import exact_match_
from fastmetrics.passes.hinge import hinge_
from fastmetrics.passes.multiclass import multiclass_
from fastmetrics.passes.pairs import pairs_, pairs_rows_, simple_pairs_
from fastmetrics.passes.proper_scores import proper_scores_, proper_scores_rows_
from fastmetrics.passes.queries import keep_documents_, query_sums_, query_values_, ranking_sums_, sort_queries_
from fastmetrics.passes.ranking import ranking_
from fastmetrics.passes.resample import resample_
from fastmetrics.passes.row_pairs import row_pairs
from fastmetrics.passes.score_keys import count_scores_, count_scores_rows_
from fastmetrics.passes.scores import keep_scores_, score_histogram_, score_histogram_rows_
from fastmetrics.passes.token_rows import token_rows
from fastmetrics.passes.values import values_, values_rows_

__all__ = [
    "add_amounts_",
    "binary_",
    "calibration_",
    "calibration_rows_",
    "count_scores_",
    "count_scores_rows_",
    "exact_match_",
    "hinge_",
    "keep_documents_",
    "keep_scores_",
    "multiclass_",
    "pairs_",
    "pairs_rows_",
    "proper_scores_",
    "proper_scores_rows_",
    "query_sums_",
    "query_values_",
    "ranking_",
    "ranking_sums_",
    "resample_",
    "row_pairs",
    "score_histogram_",
    "score_histogram_rows_",
    "simple_pairs_",
    "sort_queries_",
    "token_rows",
    "values_",
    "values_rows_",
]
