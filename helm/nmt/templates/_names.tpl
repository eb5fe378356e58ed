{{/* Prefix of the names of all objects. */}}
{{- define "nmt.fullname" -}}
{{ .Values.nameOverride | default .Release.Name }}
{{- end }}

{{/*
Labels that select Pods: root, component. Without the version, which changes, and without
app.kubernetes.io/name, which KubeRay's Services expect to be "kuberay" on its Pods.
*/}}
{{- define "nmt.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/part-of: nmt
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* Labels of an object: root, component. */}}
{{- define "nmt.labels" -}}
app.kubernetes.io/name: nmt
{{ include "nmt.selector" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/*
Name, namespace and labels of an object: root, component, suffix of its name, queue (a LocalQueue of Kueue,
for a Ray cluster that changes its size).
*/}}
{{- define "nmt.metadata" -}}
name: {{ include "nmt.fullname" .root }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "nmt.labels" . | nindent 2 }}
{{- with .queue }}
  kueue.x-k8s.io/queue-name: {{ . }}
annotations:
  kueue.x-k8s.io/elastic-job: "true"
{{- end }}
{{- end }}

{{/* Full name of an image: root, image. */}}
{{- define "nmt.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "nmt.claim" -}}
{{ .Values.storage.claim.name | default (printf "%s-storage" (include "nmt.fullname" .)) }}
{{- end }}

{{/* Storage root as Pods see it. */}}
{{- define "nmt.storageRoot" -}}
{{- if eq .Values.storage.type "claim" -}}
{{ .Values.storage.mountPath }}
{{- else -}}
{{ .Values.storage.object.url }}
{{- end }}
{{- end }}

{{/*
Name of an object that belongs to the whole cluster: root, suffix. The hash keeps release `c` of
namespace `a-b` apart from release `b-c` of namespace `a`.
*/}}
{{- define "nmt.clusterWideName" -}}
{{- $namespace := .root.Release.Namespace }}
{{- $name := include "nmt.fullname" .root }}
{{- $hash := printf "%s/%s" $namespace $name | sha256sum | trunc 10 }}
{{- printf "%s-%s-%s-%s" $namespace $name $hash .suffix }}
{{- end }}

{{/* Name of the PriorityClass of Pods, empty for none: root, class. */}}
{{- define "nmt.priorityClass" -}}
{{- $existing := index .root.Values.priorities.existing .class }}
{{- if $existing }}
{{- $existing }}
{{- else if .root.Values.priorities.create }}
{{- include "nmt.clusterWideName" (dict "root" .root "suffix" .class) }}
{{- end }}
{{- end }}

{{/* Whether the release creates a PriorityClass, or empty: root, class. */}}
{{- define "nmt.createsPriorityClass" -}}
{{- $priorities := .root.Values.priorities }}
{{- if and $priorities.create (not (index $priorities.existing .class)) }}true{{ end }}
{{- end }}
