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

{{/* All addresses but those of `outsideExcept`; Kubernetes wants each in the block of its own family. */}}
{{- define "nmt.outside" -}}
{{- range $all := list "0.0.0.0/0" "::/0" }}
- ipBlock:
    cidr: {{ $all }}
    {{- $except := list }}
    {{- range $.Values.networkPolicies.outsideExcept }}
      {{- if eq (contains ":" .) (contains ":" $all) }}
        {{- $except = append $except . }}
      {{- end }}
    {{- end }}
    {{- with $except }}
    except:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
{{- end }}

{{/* Traffic to the API server, as a rule of a NetworkPolicy. */}}
{{- define "nmt.toApiServer" -}}
to:
  {{- range .Values.networkPolicies.apiServerCidrs }}
  - ipBlock:
      cidr: {{ . | quote }}
  {{- end }}
ports:
  {{- range .Values.networkPolicies.apiServerPorts }}
  - port: {{ int . }}
    protocol: TCP
  {{- end }}
{{- end }}
