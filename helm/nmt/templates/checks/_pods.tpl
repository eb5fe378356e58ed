{{/*
Checks of worker groups and Pods: their names, numbers and sizes, and whether the processes of
`config` fit into them. See `nmt.checks`.
*/}}

{{- define "nmt.checkPods" -}}
{{- $names := keys .Values.workers | sortAlpha }}
{{- $known := join ", " $names }}
{{- if not (has .Values.jobs.workers $names) }}
jobs.workers is '{{ .Values.jobs.workers }}', which is not among workers ({{ $known }}): name one of these, or add workers.{{ .Values.jobs.workers }}
{{- end }}
{{- range .Values.cluster.workers }}
  {{- if not (has . $names) }}
cluster.workers names '{{ . }}', which is not among workers ({{ $known }}): name one of these, or add workers.{{ . }}
  {{- end }}
{{- end }}
{{- if and .Values.cluster.enabled (not .Values.cluster.workers) }}
cluster.workers is empty, and the head runs no work: name one of {{ $known }}
{{- end }}
{{- if ne (len .Values.cluster.workers) (len (uniq .Values.cluster.workers)) }}
cluster.workers names a group twice ({{ join ", " .Values.cluster.workers }}): KubeRay needs different names
{{- end }}
{{- if and .Values.cluster.queue (gt (len .Values.cluster.workers) 7) }}
cluster.workers names {{ len .Values.cluster.workers }} groups, and Kueue admits clusters of up to 7: name fewer, or leave cluster.queue out
{{- end }}
{{- range list "head" "headgroup" }}
  {{- if has . $names }}
workers.{{ . }}: Ray and Kueue call the head '{{ . }}': give the group another name
  {{- end }}
{{- end }}
{{- if ge (int .Values.jobs.pendingSeconds) (int .Values.jobs.deadlineSeconds) }}
jobs.pendingSeconds ({{ int .Values.jobs.pendingSeconds }}) must be below jobs.deadlineSeconds ({{ int .Values.jobs.deadlineSeconds }}), which counts the waiting for Pods too
{{- end }}
{{- $pods := .Values.serving.pods }}
{{- if gt (int $pods.min) (int $pods.max) }}
serving.pods.min ({{ int $pods.min }}) must not be above serving.pods.max ({{ int $pods.max }})
{{- end }}
{{- end }}

{{- define "nmt.checkGroups" -}}
{{- range $name := keys .Values.workers | sortAlpha }}
  {{- $group := include "nmt.group" (dict "root" $ "name" $name) | fromJson }}
  {{- if gt (int $group.min) (int $group.max) }}
workers.{{ $name }}.min ({{ int $group.min }}) must not be above workers.{{ $name }}.max ({{ int $group.max }})
  {{- end }}
  {{- if hasKey $group.extraResources $group.gpuResource }}
workers.{{ $name }}.extraResources holds '{{ $group.gpuResource }}': set workers.{{ $name }}.gpus instead
  {{- end }}
  {{- include "nmt.checkResourceName" (dict "path" (printf "workers.%s.gpuResource" $name) "name" $group.gpuResource) }}
  {{- range $resource, $amount := $group.extraResources }}
    {{- $path := printf "workers.%s.extraResources" $name }}
    {{- $key := get (dict "cpu" "cpus" "memory" "memory" "ephemeral-storage" "disk") $resource }}
    {{- if $key }}
{{ $path }} holds '{{ $resource }}': set workers.{{ $name }}.{{ $key }} instead
    {{- else if not (hasPrefix "hugepages-" $resource) }}
      {{- include "nmt.checkResourceName" (dict "path" $path "name" $resource) }}
    {{- end }}
    {{- if not (regexMatch "^[1-9][0-9]*([KMGT]i?|k)?$" $amount) }}
{{ $path }} has '{{ $resource }}: {{ $amount }}', which is not a whole number above 0: write it like "1", since nodes give no part of a device
    {{- end }}
  {{- end }}
{{- end }}
{{- include "nmt.checkResourceName" (dict "path" "serving.pods.gpuResource" "name" .Values.serving.pods.gpuResource) }}
{{- end }}

{{/* The name of a resource that a device plugin adds to the nodes: path, name. */}}
{{- define "nmt.checkResourceName" -}}
{{- if not (and (contains "/" .name) (include "nmt.isQualifiedName" .name)) }}
{{ .path }} has '{{ .name }}', which cannot name a resource of a node: write it with the domain of its device plugin, like nvidia.com/gpu, as `kubectl describe node` lists it
{{- end }}
{{- end }}

{{/* The memory and the local disk of every Pod of Ray hold Ray itself, and no request is above its limit. */}}
{{- define "nmt.checkMemory" -}}
{{- $pods := dict
      "jobs.head" .Values.jobs.head "cluster.head" .Values.cluster.head
      "serving.head" .Values.serving.head "serving.pods" .Values.serving.pods }}
{{- range $name := keys .Values.workers }}
  {{- $_ := set $pods (printf "workers.%s" $name) (include "nmt.group" (dict "root" $ "name" $name) | fromJson) }}
{{- end }}
{{- $operator := .Values.operator }}
{{- if gt (include "nmt.quantity" ($operator.memoryRequest | default "0") | float64) (include "nmt.quantity" $operator.memory | float64) }}
operator.memoryRequest ({{ $operator.memoryRequest }}) must not be above operator.memory ({{ $operator.memory }})
{{- end }}
{{- range $key, $pod := $pods }}
  {{- if lt (include "nmt.quantity" $pod.memory | float64) 268435456.0 }}
{{ $key }}.memory is '{{ $pod.memory }}', and Ray does not start below 256Mi: write it like 4Gi
  {{- end }}
  {{- if lt (include "nmt.quantity" $pod.disk | float64) 268435456.0 }}
{{ $key }}.disk is '{{ $pod.disk }}', and Ray's logs alone may take 256Mi: write it like 10Gi
  {{- end }}
  {{- range $what := list "memory" "disk" }}
    {{- $limit := get $pod $what }}
    {{- $request := get $pod (printf "%sRequest" $what) | default "0" }}
    {{- if gt (include "nmt.quantity" $request | float64) (include "nmt.quantity" $limit | float64) }}
{{ $key }}.{{ $what }}Request ({{ $request }}) must not be above {{ $key }}.{{ $what }} ({{ $limit }})
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* A training worker must fit into a Pod of the group that runs jobs. */}}
{{- define "nmt.checkJobs" -}}
{{- $name := .Values.jobs.workers }}
{{- if hasKey .Values.workers $name }}
{{- $group := include "nmt.group" (dict "root" $ "name" $name) | fromJson }}
{{- $scaling := (include "nmt.config" . | fromJson).scaling }}
{{- if gt (float64 $scaling.gpus_per_worker) (float64 $group.gpus) }}
config.scaling.gpus_per_worker is {{ $scaling.gpus_per_worker }}, and Pods of workers.{{ $name }} have {{ int $group.gpus }} GPUs: set workers.{{ $name }}.gpus, or let jobs.workers name a group that has them
{{- end }}
{{- if gt (float64 $scaling.cpus_per_worker) (float64 $group.cpus) }}
config.scaling.cpus_per_worker is {{ $scaling.cpus_per_worker }}, and Pods of workers.{{ $name }} have {{ int $group.cpus }} CPUs: raise workers.{{ $name }}.cpus, or lower config.scaling.cpus_per_worker
{{- end }}
{{- end }}
{{- end }}

{{/* The replicas must fit into the Pods of the endpoint. */}}
{{- define "nmt.checkServing" -}}
{{- if .Values.serving.enabled }}
{{- $pods := .Values.serving.pods }}
{{- $serving := (include "nmt.config" . | fromJson).serving }}
{{- $fit := divf (float64 $pods.cpus) (float64 $serving.cpus_per_replica) | floor | int }}
{{- if not $fit }}
config.serving.cpus_per_replica is {{ $serving.cpus_per_replica }}, and a Pod of serving.pods has {{ int $pods.cpus }} CPUs: raise serving.pods.cpus, or lower config.serving.cpus_per_replica
{{- end }}
{{- if gt (float64 $serving.gpus_per_replica) (float64 $pods.gpus) }}
config.serving.gpus_per_replica is {{ $serving.gpus_per_replica }}, and a Pod of serving.pods has {{ int $pods.gpus }} GPUs: raise serving.pods.gpus, or lower config.serving.gpus_per_replica
{{- else if gt (float64 $serving.gpus_per_replica) 0.0 }}
  {{- $fit = min $fit (divf (float64 $pods.gpus) (float64 $serving.gpus_per_replica) | floor | int) }}
{{- end }}
{{- /* Only a number that somebody chose: the default is meant for Pods with few replicas. */}}
{{- $chosen := get (.Values.config.serving | default dict) "max_engine_gib" }}
{{- if and $chosen $fit (eq (float64 $serving.gpus_per_replica) 0.0) }}
  {{- $needed := mulf (float64 $chosen) (float64 $fit) 1073741824.0 }}
  {{- if gt $needed (include "nmt.quantity" $pods.memory | float64) }}
config.serving.max_engine_gib is {{ $chosen }}, and a Pod of serving.pods holds {{ $fit }} replicas in {{ $pods.memory }}: raise serving.pods.memory, or lower config.serving.max_engine_gib
  {{- end }}
{{- end }}
{{- $slots := mul $fit (int $pods.max) }}
{{- if and $fit (gt (int $serving.max_replicas) (int $slots)) }}
config.serving.max_replicas is {{ int $serving.max_replicas }}, and serving.pods.max ({{ int $pods.max }}) Pods hold {{ $slots }} replicas: raise serving.pods.max, or lower config.serving.max_replicas
{{- end }}
{{- end }}
{{- end }}
