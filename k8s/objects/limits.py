"""Limits of the numbers in a RayJob. Pure.

The API server keeps a RayJob whose numbers do not fit into KubeRay's 32 bits, and KubeRay can then
read no RayJob of the cluster any more.
"""

MAX_SECONDS = 10**9
"""Longest time of a job, about 31 years: the sums of two such times fit into 32 bits, too."""
