{{/* A podSelector for Pods of the release: root, component, node (head or worker). */}}
{{- define "nmt.pods" -}}
podSelector:
  matchLabels:
    {{- include "nmt.selector" . | nindent 4 }}
    {{- with .node }}
    ray.io/node-type: {{ . }}
    {{- end }}
{{- end }}

{{/* The heads that jobs are submitted to. */}}
{{- define "nmt.jobHeads" -}}
podSelector:
  matchLabels:
    {{- include "nmt.selector" (dict "root" .) | nindent 4 }}
    ray.io/node-type: head
  matchExpressions:
    - key: app.kubernetes.io/component
      operator: In
      values: [job, cluster]
{{- end }}

{{/* The first lines of a NetworkPolicy: root, suffix. */}}
{{- define "nmt.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "nmt.metadata" (dict "root" .root "component" "network" "suffix" .suffix) | nindent 2 }}
{{- end }}

{{/* All addresses, IPv4 and IPv6. */}}
{{- define "nmt.anywhere" -}}
- ipBlock:
    cidr: 0.0.0.0/0
- ipBlock:
    cidr: ::/0
{{- end }}
