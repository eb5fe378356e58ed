"""Parts of Kubernetes' objects in the values, which nobody else would check in a Pod template."""

import pytest
import yaml

from tests.support.chart.rendering import refusal, render

LABEL = "63 letters, digits"
GROUP = "workers: {cpu: {%s}}"
NODES = (
    "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution:"
    " {nodeSelectorTerms: [{matchExpressions: [%s]}]}}}"
)
WRONG: dict[str, tuple[str, list[str]]] = {
    "label with a space": (
        "podLabels: {team: machine translation}",
        ["podLabels.team is 'machine translation'", LABEL],
    ),
    "name of a label with a space": (
        "podLabels: {cost centre: x}",
        ["podLabels has 'cost centre'", LABEL],
    ),
    "long label": (f"podLabels: {{team: {'x' * 64}}}", ["podLabels.team", LABEL]),
    "two slashes": ("podLabels: {a/b/c: x}", ["podLabels has 'a/b/c'"]),
    "empty prefix": ("podLabels: {/b: x}", ["podLabels has '/b'"]),
    "prefix with dots": ("podLabels: {a..b/c: x}", ["podLabels has 'a..b/c'"]),
    "annotation": ("podAnnotations: {my note: x}", ["podAnnotations has 'my note'"]),
    "annotation of an account": (
        "serviceAccounts: {jobs: {annotations: {a b: x}}}",
        ["serviceAccounts.jobs.annotations has 'a b'"],
    ),
    "annotation of the Service": (
        "serving: {serviceAnnotations: {a b: x}}",
        ["serving.serviceAnnotations has 'a b'"],
    ),
    "label of monitors": (
        "monitoring: {labels: {release: 'a b'}}",
        ["monitoring.labels.release is 'a b'"],
    ),
    "label of nodes": (
        GROUP % "nodeSelector: {pool: 'a b'}",
        ["workers.cpu.nodeSelector.pool is 'a b'"],
    ),
    "label of nodes of a head": (
        "jobs: {head: {nodeSelector: {a b: x}}}",
        ["jobs.head.nodeSelector has 'a b'"],
    ),
    "label to spread over": (
        "serving: {pods: {spreadOver: [my zone]}}",
        ["serving.pods.spreadOver[0] has 'my zone'"],
    ),
    "operator of a toleration": (
        GROUP % "tolerations: [{key: gpu, operator: exists}]",
        ["/workers/cpu/tolerations/0/operator", "'Exists', 'Equal'"],
    ),
    "effect of a toleration": (
        "serving: {pods: {tolerations: [{key: arch, effect: noSchedule}]}}",
        ["/serving/pods/tolerations/0/effect", "'NoSchedule'"],
    ),
    "value of a toleration": (
        "jobs: {head: {tolerations: [{key: gpu, value: true}]}}",
        ["/jobs/head/tolerations/0/value", "got boolean, want string"],
    ),
    "field of a toleration": (
        GROUP % "tolerations: [{key: gpu, opertor: Exists}]",
        ["/workers/cpu/tolerations/0", "'opertor' not allowed"],
    ),
    "value that nothing compares": (
        GROUP % "tolerations: [{key: gpu, operator: Exists, value: x}]",
        ["workers.cpu.tolerations[0].value is 'x'", "operator Equal"],
    ),
    "toleration of everything": (
        GROUP % "tolerations: [{effect: NoSchedule}]",
        ["workers.cpu.tolerations[0].key is empty", "operator: Exists"],
    ),
    "taint with a space": (
        GROUP % "tolerations: [{key: my gpu, operator: Exists}]",
        ["workers.cpu.tolerations[0].key has 'my gpu'"],
    ),
    "time without eviction": (
        GROUP % "tolerations: [{key: a, effect: NoSchedule, tolerationSeconds: 5}]",
        ["workers.cpu.tolerations[0].tolerationSeconds", "NoExecute"],
    ),
    "kind of affinity": (
        GROUP % "affinity: {podAntiAfinity: {}}",
        ["/workers/cpu/affinity", "'podAntiAfinity' not allowed"],
    ),
    "operator of nodes": (
        GROUP % NODES % "{key: zone, operator: in, values: [a]}",
        ["/matchExpressions/0/operator", "'NotIn'"],
    ),
    "no values of nodes": (
        GROUP % NODES % "{key: zone, operator: In}",
        ["matchExpressions[0].values is empty", "take Exists"],
    ),
    "values of a label that need only exist": (
        GROUP % NODES % "{key: zone, operator: Exists, values: [a]}",
        ["matchExpressions[0].values is set", "takes none"],
    ),
    "no number to compare with": (
        GROUP % NODES % "{key: cores, operator: Gt, values: [many]}",
        ["matchExpressions[0].values is 'many'", "whole number"],
    ),
    "weight of a preference": (
        "serving: {pods: {affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuring"
        "Execution: [{weight: 0, podAffinityTerm: {topologyKey: zone}}]}}}}",
        ["/weight", "got 0, want 1"],
    ),
    "topology with a space": (
        GROUP % "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution:"
        " [{topologyKey: my zone}]}}",
        ["[0].topologyKey has 'my zone'"],
    ),
    "labels of clients": (
        "networkPolicies: {clients: [{podSelector: {matchLabels: {app: 'a b'}}}]}",
        ["networkPolicies.clients[0].podSelector.matchLabels.app is 'a b'"],
    ),
    "client of no kind": (
        "networkPolicies: {clients: [{pods: {}}]}",
        ["/networkPolicies/clients/0", "'pods' not allowed"],
    ),
    "address of a client": (
        "networkPolicies: {clients: [{ipBlock: {cidr: 10.0.0.1}}]}",
        ["/networkPolicies/clients/0/ipBlock/cidr", "'10.0.0.1'"],
    ),
    "KubeRay's labels": (
        "networkPolicies: {kuberayNamespaceSelector: {matchLabels: {team: 'a b'}}}",
        ["networkPolicies.kuberayNamespaceSelector.matchLabels.team is 'a b'"],
    ),
    "kind of a subject": (
        "rbac: {subjects: [{kind: group, name: a}]}",
        ["/rbac/subjects/0/kind", "'Group'"],
    ),
}
GOOD = [
    "podLabels: {team: a-b, example.com/cost: '42', empty: ''}",
    "podAnnotations: {example.com/note: any text at all}",
    GROUP % "tolerations: [{operator: Exists}]",
    GROUP % "tolerations: [{key: a/b, effect: NoExecute, tolerationSeconds: 5}]",
    GROUP % "tolerations: [{key: arch, operator: Equal, value: arm64, effect: NoSchedule}]",
    GROUP % NODES % "{key: cores, operator: Gt, values: ['4']}",
    "rbac: {subjects: [{kind: ServiceAccount, name: a, namespace: b}]}",
]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_part_is_refused_by_key_and_value(name):
    text, fragments = WRONG[name]
    message = refusal(yaml.safe_load(text))
    assert [f for f in fragments if f not in message] == [], message


@pytest.mark.parametrize("text", GOOD)
def test_a_right_part_is_accepted(text):
    assert render(yaml.safe_load(text))
