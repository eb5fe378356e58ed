{{/*
Where the head of the endpoint keeps its state: what Ray's GCS knows of its Pods, actors and Serve. A head
that finds it again goes on where the one before ended, and the Pods that translate do not notice.

KubeRay 1.7 has a field for an embedded store. It is not used: its feature gate is off by default, and a
chart cannot see the gates of the operator. These variables of Ray do the same with every KubeRay.
*/}}

{{/* Of a release without an endpoint, empty; else `none`, `embedded` or `redis`. */}}
{{- define "nmt.headState" -}}
{{- if not .Values.serving.enabled }}
{{- else if ne .Values.serving.headState "auto" -}}
{{ .Values.serving.headState }}
{{- else if or (eq .Values.storage.type "claim") (include "nmt.headClaim" .) -}}
embedded
{{- else -}}
none
{{- end }}
{{- end }}

{{/* Name of the head's own claim; empty if the state is kept in the storage's claim. */}}
{{- define "nmt.headClaim" -}}
{{- $claim := .Values.serving.headClaim }}
{{- if $claim.name -}}
{{ $claim.name }}
{{- else if $claim.create -}}
{{ include "nmt.fullname" . }}-head
{{- end }}
{{- end }}

{{/* Folder of the storage's claim for the states of all Ray clusters of the endpoint, as `nmt.runs.layout` has it. */}}
{{- define "nmt.headFolder" -}}
{{- include "nmt.endpointFolder" (dict "root" . "kind" "head") }}
{{- end }}

{{/* The extra volumes of a head with an embedded store, as JSON: volumes. */}}
{{- define "nmt.headStateVolumes" -}}
{{- $volumes := list }}
{{- $claim := include "nmt.headClaim" . }}
{{- if and (eq (include "nmt.headState" .) "embedded") $claim }}
  {{- $source := dict "claimName" $claim }}
  {{- $volumes = append $volumes (dict "name" "head-state" "persistentVolumeClaim" $source) }}
{{- end }}
{{- dict "volumes" $volumes | toJson }}
{{- end }}

{{/*
The mount of the head's state, as JSON: root, own (whether of the Ray cluster of the Pod alone). The folder
of a cluster bears its namespace, since clusters of several namespaces may share a file system.
*/}}
{{- define "nmt.headStateMount" -}}
{{- $claim := include "nmt.headClaim" .root }}
{{- $parts := list }}
{{- if not $claim }}
  {{- $parts = append $parts (include "nmt.headFolder" .root) }}
{{- end }}
{{- if .own }}
  {{- $parts = append $parts (printf "%s.$(NMT_RAY_CLUSTER)" .root.Release.Namespace) }}
{{- end }}
{{- $mount := dict "name" (ternary "head-state" "storage" (not (empty $claim))) "mountPath" "/run/head-state" }}
{{- with $parts }}
  {{- $_ := set $mount (ternary "subPathExpr" "subPath" (not (empty $.own))) (join "/" .) }}
{{- end }}
{{- toJson $mount }}
{{- end }}

{{/* Variables of a Ray container of the endpoint, as JSON: root, head (whether it is the head's). */}}
{{- define "nmt.headStateEnv" -}}
{{- $state := include "nmt.headState" .root }}
{{- $env := dict }}
{{- if and .head (eq $state "embedded") }}
  {{- $_ := set $env "NMT_RAY_CLUSTER" (include "nmt.rayClusterName" . | fromJson) }}
  {{- $_ := set $env "RAY_gcs_storage" "rocksdb" }}
  {{- $_ := set $env "RAY_gcs_storage_path" "/run/head-state" }}
{{- else if and (not .head) (ne $state "none") }}
  {{- /* The Pods work on for ten minutes without a head; Ray's own limit is a minute. */}}
  {{- $_ := set $env "RAY_gcs_rpc_server_reconnect_timeout_s" "600" }}
{{- end }}
{{- toJson $env }}
{{- end }}

{{/* The name of a Pod's Ray cluster, which KubeRay chooses, as the source of a variable. */}}
{{- define "nmt.rayClusterName" -}}
{{- dict "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.labels['ray.io/cluster']")) | toJson }}
{{- end }}

{{/* The init container that makes the folder of this Ray cluster, and removes those of clusters that are gone. */}}
{{- define "nmt.headStateContainer" -}}
{{- $mounts := list (include "nmt.headStateMount" (dict "root" .) | fromJson) }}
- name: head-state
  {{- include "nmt.container" (dict "root" . "image" .Values.image "mounts" $mounts) | nindent 2 }}
  command:
    - python
    - -m
    - ray_jobs.serving.head_state
    - /run/head-state
    - {{ .Release.Namespace | quote }}
    - $(NMT_RAY_CLUSTER)
  {{- include "nmt.env" (dict "NMT_RAY_CLUSTER" (include "nmt.rayClusterName" . | fromJson)) | nindent 2 }}
  resources:
    {{- include "nmt.smallResources" (dict "cpu" "20m" "memory" "64Mi" "memoryLimit" "128Mi") | nindent 4 }}
{{- end }}

{{/* A RayClusterSpec's `gcsFaultToleranceOptions`, for a Redis. */}}
{{- define "nmt.headRedis" -}}
{{- $redis := .Values.serving.headRedis }}
gcsFaultToleranceOptions:
  redisAddress: {{ $redis.address | quote }}
  {{- with $redis.secretName }}
  redisUsername:
    valueFrom:
      secretKeyRef:
        name: {{ . }}
        key: username
        optional: true
  redisPassword:
    valueFrom:
      secretKeyRef:
        name: {{ . }}
        key: password
  {{- end }}
{{- end }}

{{/*
Placement of the head, as JSON. A ReadWriteOnce volume is mounted on one node at a time, and during an
upgrade two heads need theirs: so the new head goes to the node of the old one if it has room.
*/}}
{{- define "nmt.headPlacement" -}}
{{- $head := deepCopy .Values.serving.head }}
{{- $once := eq .Values.serving.headClaim.accessMode "ReadWriteOnce" }}
{{- if and $once (include "nmt.headClaim" .) (eq (include "nmt.headState" .) "embedded") }}
  {{- $heads := merge (include "nmt.selector" (dict "root" . "component" "serving") | fromYaml) (dict "ray.io/node-type" "head") }}
  {{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" $heads) }}
  {{- $preferred := list (dict "weight" 100 "podAffinityTerm" $term) }}
  {{- $together := dict "podAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" $preferred) }}
  {{- $_ := set $head "affinity" (merge (deepCopy $head.affinity) $together) }}
{{- end }}
{{- toJson $head }}
{{- end }}
