{{/*
Probes of a Ray container that is asked every second until it has started. KubeRay's own wait for 10 seconds
and then ask every 5, and a job begins only when all of its Pods are ready. Once it has started, the
container is asked as KubeRay would; the liveness probe is KubeRay's.
*/}}
{{- define "nmt.startProbes" -}}
startupProbe:
  {{- include "nmt.rayIsHealthy" . | nindent 2 }}
  periodSeconds: 1
  timeoutSeconds: 5
  failureThreshold: 600
readinessProbe:
  {{- include "nmt.rayIsHealthy" . | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 10
{{- end }}

{{/* What KubeRay asks a node of this version of Ray. */}}
{{- define "nmt.rayIsHealthy" -}}
httpGet:
  path: /api/healthz
  port: 52365
{{- end }}
