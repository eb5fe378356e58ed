"""The handlers of the operations, one class for each group."""
