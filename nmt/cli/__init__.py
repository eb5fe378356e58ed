"""Parts that both console commands share: errors and signals, diagnostics, and a log file."""
