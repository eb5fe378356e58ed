"""Statistics of ratings: looks, agreement of raters, ranking, correlation, post-edits."""
