"""Accounts, permissions and priorities."""

from helm.values.base import OptionalName, Values
from helm.values.kubernetes import Subject


class Account(Values):
    """A service account."""

    annotations: dict[str, str] = {}
    """Annotations of this account, which come before those of all accounts."""


class Accounts(Values):
    """Service accounts."""

    create: bool = True
    """Create them; false uses accounts of the same names that an administrator created."""
    annotations: dict[str, str] = {}
    """Annotations of all accounts, like a cloud role for the bucket."""
    jobs: Account = Account()
    """Account of the jobs, which read and write the storage."""
    serving: Account = Account()
    """Account of the endpoint's worker Pods, which read engines and write reports."""
    storage: Account = Account()
    """Account of Pods that read and write the storage for `nmt-k8s`."""
    autoscaler: Account = Account()
    """Account of heads that scale their cluster."""
    operator: Account = Account()
    """Account of the operator."""
    user: Account = Account()
    """Account of Pods that run `nmt-k8s`."""


class Rbac(Values):
    """Permissions."""

    create: bool = True
    """Create the Role for running jobs, and its binding."""
    subjects: list[Subject] = []
    """Users and groups that may run `nmt-k8s`, as in a RoleBinding."""
    admission_policy: bool = True
    """Create ValidatingAdmissionPolicies, which are cluster-wide objects: what these users create
    has the accounts, volumes and Secrets of the release's own jobs and no others, and the
    autoscaler scales and does nothing else."""


class ExistingPriorities(Values):
    """PriorityClasses of the cluster that are used instead of the release's own."""

    serve: OptionalName = ""
    """Class of the endpoint."""
    train: OptionalName = ""
    """Class of training and all other jobs."""
    tune: OptionalName = ""
    """Class of searches."""


class Priorities(Values):
    """Priorities: serving before training before searching; fixed once a release is installed.

    Pods without a class, like KubeRay's, have priority 0: Pods above it evict them from full nodes.
    """

    create: bool = True
    """Create the PriorityClasses that `existing` does not name; they are cluster-wide objects."""
    serve: int = 0
    """Priority of the endpoint; above 0 it evicts other Pods of the cluster, KubeRay's included."""
    train: int = -5
    """Priority of training and all other jobs."""
    tune: int = -10
    """Priority of searches; the cluster autoscaler adds no nodes for Pods below -10."""
    existing: ExistingPriorities = ExistingPriorities()
