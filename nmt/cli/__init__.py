"""What both console commands share: settings among words, diagnoses, and a log file."""
