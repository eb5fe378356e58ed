{{/*
Checks against the release that is installed already: what Kubernetes does not let an upgrade change.
Without a cluster to ask, as in `helm template`, `lookup` finds nothing and they pass. See `nmt.checks`.
*/}}
{{- define "nmt.checkClaim" -}}
{{- if and (eq .Values.storage.type "claim") .Values.storage.claim.create }}
{{- $installed := lookup "v1" "PersistentVolumeClaim" .Release.Namespace (include "nmt.claim" .) }}
{{- with $installed }}
{{- include "nmt.claimChanges" (dict "wanted" $.Values.storage.claim "installed" .spec) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The fields of a claim that cannot change: wanted (from the values), installed (a spec). */}}
{{- define "nmt.claimChanges" -}}
{{- $instead := "or name a new claim in storage.claim.name and copy the files into it" }}
{{- $mode := first .installed.accessModes }}
{{- if ne .wanted.accessMode $mode }}
storage.claim.accessMode is '{{ .wanted.accessMode }}', and the installed claim has '{{ $mode }}', which Kubernetes does not let change: set storage.claim.accessMode={{ $mode }}, {{ $instead }}
{{- end }}
{{- $class := .installed.storageClassName | default "" }}
{{- if and .wanted.storageClass (ne .wanted.storageClass $class) }}
storage.claim.storageClass is '{{ .wanted.storageClass }}', and the installed claim has '{{ $class }}', which Kubernetes does not let change: set storage.claim.storageClass={{ $class }}, {{ $instead }}
{{- end }}
{{- $size := .installed.resources.requests.storage }}
{{- if lt (include "nmt.quantity" .wanted.size | float64) (include "nmt.quantity" $size | float64) }}
storage.claim.size is '{{ .wanted.size }}', and the installed claim has '{{ $size }}', which Kubernetes does not let shrink: set storage.claim.size={{ $size }}, {{ $instead }}
{{- end }}
{{- end }}

{{/*
Classes of the release alone: who installs it without the right to create any may not read any either. The API
server names a missing class of `priorities.existing` when a Pod is made.
*/}}
{{- define "nmt.checkPriorities" -}}
{{- range $class := list "serve" "train" "tune" }}
  {{- $asked := dict "root" $ "class" $class }}
  {{- if include "nmt.createsPriorityClass" $asked }}
    {{- $value := int (index $.Values.priorities $class) }}
    {{- $installed := lookup "scheduling.k8s.io/v1" "PriorityClass" "" (include "nmt.priorityClass" $asked) }}
    {{- if and $installed (ne (int $installed.value) $value) }}
priorities.{{ $class }} is {{ $value }}, and the installed class has {{ int $installed.value }}, which Kubernetes does not let change: set priorities.{{ $class }}={{ int $installed.value }}, or uninstall the release first
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Helm refuses to change an object that another release, or nobody, has given to it. */}}
{{- define "nmt.checkDefinition" -}}
{{- if and .Values.operator.enabled .Values.crds.install }}
{{- $name := "translationcampaigns.nmt.internal" }}
{{- $installed := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name }}
{{- with $installed }}
{{- include "nmt.definitionOwner" (dict "root" $ "name" $name "metadata" .metadata) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Whether the kind of campaigns belongs to another release: root, name, metadata (of the installed definition). */}}
{{- define "nmt.definitionOwner" -}}
{{- $annotations := .metadata.annotations | default dict }}
{{- $release := get $annotations "meta.helm.sh/release-name" }}
{{- $namespace := get $annotations "meta.helm.sh/release-namespace" }}
{{- if not $release }}
crds.install is true, and {{ .name }} was installed without a release: set crds.install=false, and let the administrator upgrade it
{{- else if not (and (eq $release .root.Release.Name) (eq $namespace .root.Release.Namespace)) }}
crds.install is true, and {{ .name }} belongs to release '{{ $release }}' of namespace '{{ $namespace }}', which upgrades it: set crds.install=false
{{- end }}
{{- end }}
