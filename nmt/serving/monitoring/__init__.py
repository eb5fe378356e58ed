"""What is seen of an endpoint: metrics, access log, traces, and the counts of a canary."""
