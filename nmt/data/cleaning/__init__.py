"""Rules that a pair must pass: for single pairs, and with limits fitted to the corpus."""

from nmt.data.cleaning.block import CleanedBlock, Drop, clean_block, plain_texts
from nmt.data.cleaning.features import (
    EMPTY_SIDE,
    NUMBERS_DIFFER,
    SENTENCES_DIFFER,
    SOURCE_UNFINISHED,
    TARGET_UNFINISHED,
    URLS_DIFFER,
    WOULD_BE_DROPPED,
    Features,
)
from nmt.data.cleaning.fitted import FittedDrops, RatioFit, fit_ratios, fitted_drops

__all__ = [
    "EMPTY_SIDE",
    "NUMBERS_DIFFER",
    "SENTENCES_DIFFER",
    "SOURCE_UNFINISHED",
    "TARGET_UNFINISHED",
    "URLS_DIFFER",
    "WOULD_BE_DROPPED",
    "CleanedBlock",
    "Drop",
    "Features",
    "FittedDrops",
    "RatioFit",
    "clean_block",
    "fit_ratios",
    "fitted_drops",
    "plain_texts",
]
