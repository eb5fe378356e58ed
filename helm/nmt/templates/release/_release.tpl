{{/* Pod template of a RayJob's submitter, which only talks to the head. */}}
{{- define "nmt.submitter" -}}
metadata:
  {{- include "nmt.podMetadata" (dict "root" . "component" "submitter") | nindent 2 }}
spec:
  restartPolicy: Never
  {{- include "nmt.podSpec" (dict "root" . "account" "jobs" "placement" .Values.jobs.head) | nindent 2 }}
  containers:
    - name: ray-job-submitter
      {{- include "nmt.container" (dict "root" . "image" .Values.image) | nindent 6 }}
      resources:
        {{- include "nmt.smallResources" (dict "cpu" "100m" "memory" "256Mi" "memoryLimit" "512Mi") | nindent 8 }}
{{- end }}

{{/* Pod template of a Job that runs a command of nmt-k8s with access to the storage. */}}
{{- define "nmt.storagePod" -}}
metadata:
  {{- include "nmt.podMetadata" (dict "root" . "component" "storage") | nindent 2 }}
spec:
  restartPolicy: Never
  {{- include "nmt.podSpec" (dict "root" . "account" "storage" "storage" true "placement" .Values.jobs.head) | nindent 2 }}
  containers:
    - name: nmt-k8s
      {{- include "nmt.container" (dict "root" . "image" .Values.toolsImage "storage" true) | nindent 6 }}
      {{- include "nmt.storageEnv" (dict "root" . "env" .Values.env) | nindent 6 }}
      resources:
        {{- include "nmt.smallResources" (dict "cpu" "50m" "memory" "128Mi" "memoryLimit" "512Mi") | nindent 8 }}
{{- end }}

{{/* `k8s.objects.release.Release` as JSON. */}}
{{- define "nmt.release" -}}
{{- $fullname := include "nmt.fullname" . }}
{{- $priorities := dict }}
{{- range $class := list "serve" "train" "tune" }}
  {{- with include "nmt.priorityClass" (dict "root" $ "class" $class) }}
    {{- $_ := set $priorities $class . }}
  {{- end }}
{{- end }}
{{- $maxPods := dict }}
{{- $groups := dict }}
{{- range $name := keys .Values.workers }}
  {{- $group := include "nmt.group" (dict "root" $ "name" $name) | fromJson }}
  {{- $_ := set $maxPods $name (int $group.max) }}
  {{- $spec := include "nmt.workerGroup" (dict "root" $ "component" "job" "name" $name "group" $group "account" "jobs") }}
  {{- $_ := set $groups $name (fromYaml $spec) }}
{{- end }}
{{- $labels := omit (include "nmt.labels" (dict "root" $) | fromYaml) "helm.sh/chart" }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" "nmt-k8s" }}
{{- $cluster := include "nmt.rayCluster" (dict "root" $ "component" "job" "head" .Values.jobs.head "autoscaling" false) }}
{{- dict
      "name" $fullname
      "namespace" .Release.Namespace
      "chartVersion" .Chart.Version
      "labels" $labels
      "images" (dict
        "ray" (include "nmt.image" (dict "root" $ "image" .Values.image))
        "tools" (include "nmt.image" (dict "root" $ "image" .Values.toolsImage)))
      "storage" (include "nmt.storageRoot" .)
      "storageSecret" (ternary .Values.storage.object.secretName "" (eq .Values.storage.type "object"))
      "config" .Values.config
      "jobs" (omit .Values.jobs "head")
      "priorityClasses" $priorities
      "maxPods" $maxPods
      "rayCluster" (fromYaml $cluster)
      "workerGroups" $groups
      "submitter" (include "nmt.patched" (dict "root" . "template" (include "nmt.submitter" .)) | fromYaml)
      "storagePod" (include "nmt.patched" (dict "root" . "template" (include "nmt.storagePod" .)) | fromYaml)
      "service" (ternary $fullname "" .Values.serving.enabled)
      "endpoint" (ternary (printf "%s-endpoint" $fullname) "" .Values.serving.enabled)
      "cluster" (ternary (printf "%s-cluster" $fullname) "" .Values.cluster.enabled)
      "headState" (include "nmt.headState" .)
      "maxActive" (int .Values.operator.maxActive)
      "operator" (ternary (printf "%s-operator" $fullname) "" .Values.operator.enabled)
      "admissionPolicy" (include "nmt.podPolicy" .)
    | toPrettyJson }}
{{- end }}
