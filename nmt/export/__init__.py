"""Export: trained weights are merged, compared, converted and stored as an engine."""
