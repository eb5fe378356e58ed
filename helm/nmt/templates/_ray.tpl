{{/*
Ray Pods. The RayCluster, the RayService and the jobs (through the release ConfigMap) are written
by the same templates, so that they never differ by accident.
*/}}

{{/* Environment of a Ray container: root, env (of its group). */}}
{{- define "nmt.rayEnv" -}}
{{- $storage := .root.Values.storage }}
{{- $hub := ternary (printf "%s/hub" $storage.mountPath) "/tmp/hub" (eq $storage.type "claim") }}
{{- $own := dict "HF_HOME" $hub "RAY_USAGE_STATS_ENABLED" "0" }}
{{- include "nmt.storageEnv" (dict "root" .root "env" (merge (dict) (.env | default dict) .root.Values.env $own)) }}
{{- end }}

{{/*
Requests and limits of a Ray container: memory, memoryRequest, cpuRequest, and of workers cpus,
gpus, gpuResource, extraResources. There is no CPU limit: it would stall the raylet's heartbeats.
*/}}
{{- define "nmt.resources" -}}
{{- $extra := dict }}
{{- if .gpus }}
  {{- $_ := set $extra .gpuResource (int .gpus | toString) }}
{{- end }}
{{- $extra = merge $extra (.extraResources | default dict) }}
requests:
  cpu: {{ .cpuRequest | default (int (.cpus | default 0) | toString) | quote }}
  memory: {{ .memoryRequest | default .memory | quote }}
  {{- range $name, $amount := $extra }}
  {{ $name }}: {{ $amount | quote }}
  {{- end }}
limits:
  memory: {{ .memory | quote }}
  {{- range $name, $amount := $extra }}
  {{ $name }}: {{ $amount | quote }}
  {{- end }}
{{- end }}

{{/* Seconds that a serving Pod has to terminate: it answers for a while, then its replicas end. */}}
{{- define "nmt.servingGrace" -}}
{{ add .Values.serving.drainSeconds 45 }}
{{- end }}

{{- define "nmt.drain" -}}
lifecycle:
  preStop:
    exec:
      command:
        - sleep
        - {{ int .Values.serving.drainSeconds | quote }}
{{- end }}

{{/*
Pod template of a head: root, component, head, autoscaling, priority. KubeRay gives the account of an
autoscaling head the rights that the autoscaler needs, so no worker shares it. The head of a job
terminates at once: with more time, its job would fail in the dying cluster, and KubeRay does not retry
a job that failed.
*/}}
{{- define "nmt.headTemplate" -}}
{{- $serving := eq .component "serving" }}
{{- $pod := dict "root" .root "storage" true "placement" .head "priority" .priority "token" .autoscaling }}
{{- $_ := set $pod "grace" (ternary (include "nmt.servingGrace" .root) "1" $serving) }}
{{- $_ := set $pod "account" (ternary "autoscaler" "jobs" .autoscaling) }}
metadata:
  {{- $annotations := dict "cluster-autoscaler.kubernetes.io/safe-to-evict" "false" }}
  {{- include "nmt.podMetadata" (dict "root" .root "component" .component "annotations" $annotations) | nindent 2 }}
spec:
  {{- include "nmt.podSpec" $pod | nindent 2 }}
  containers:
    - name: ray-head
      {{- include "nmt.container" (dict "root" .root "image" .root.Values.image "storage" true) | nindent 6 }}
      {{- include "nmt.rayEnv" (dict "root" .root) | nindent 6 }}
      resources:
        {{- include "nmt.resources" .head | trim | nindent 8 }}
      ports:
        - name: gcs-server
          containerPort: 6379
        - name: dashboard
          containerPort: 8265
        - name: client
          containerPort: 10001
        - name: serve
          containerPort: 8000
        - name: metrics
          containerPort: 8080
        - name: as-metrics
          containerPort: 44217
        - name: dash-metrics
          containerPort: 44227
      {{- if $serving }}
      {{- include "nmt.drain" .root | nindent 6 }}
      {{- end }}
{{- end }}

{{/* Pod template of a worker: root, component, group, account, priority, annotations. */}}
{{- define "nmt.workerTemplate" -}}
{{- $serving := eq .component "serving" }}
{{- $grace := ternary (include "nmt.servingGrace" .root) "60" $serving }}
metadata:
  {{- include "nmt.podMetadata" (dict "root" .root "component" .component "annotations" .annotations) | nindent 2 }}
spec:
  {{- $pod := dict "root" .root "storage" true "placement" .group "account" .account "priority" .priority "grace" $grace }}
  {{- include "nmt.podSpec" $pod | nindent 2 }}
  containers:
    - name: ray-worker
      {{- include "nmt.container" (dict "root" .root "image" .root.Values.image "storage" true) | nindent 6 }}
      {{- include "nmt.rayEnv" (dict "root" .root "env" .group.env) | nindent 6 }}
      resources:
        {{- include "nmt.resources" .group | trim | nindent 8 }}
      ports:
        - name: metrics
          containerPort: 8080
        {{- if $serving }}
        - name: serve
          containerPort: 8000
      {{- include "nmt.drain" .root | nindent 6 }}
      # KubeRay's own probe runs every 5 s; until then, requests go to a proxy that does not exist.
      readinessProbe:
        exec:
          command:
            - bash
            - -c
            - >-
              wget -q -T 2 -O- http://localhost:52365/api/local_raylet_healthz | grep -q success
              && wget -q -T 2 -O- http://localhost:8000/-/healthz | grep -q success
        periodSeconds: 1
        timeoutSeconds: 3
        failureThreshold: 3
        {{- end }}
{{- end }}

{{/*
An entry of `workerGroupSpecs`, without the number of Pods: root, component, name, group, account,
priority, annotations.
*/}}
{{- define "nmt.workerGroup" -}}
groupName: {{ .name }}
rayStartParams:
  num-cpus: {{ int .group.cpus | quote }}
  num-gpus: {{ int .group.gpus | quote }}
template:
  {{- include "nmt.workerTemplate" . | trim | nindent 2 }}
{{- end }}

{{/*
A RayClusterSpec without its worker groups: root, component, head, autoscaling,
idleTimeoutSeconds, priority.
*/}}
{{- define "nmt.rayCluster" -}}
rayVersion: {{ .root.Values.ray.version | quote }}
{{- if .root.Values.ray.token }}
authOptions:
  mode: token
{{- end }}
enableInTreeAutoscaling: {{ .autoscaling }}
{{- if .autoscaling }}
autoscalerOptions:
  idleTimeoutSeconds: {{ int .idleTimeoutSeconds }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  securityContext:
    {{- include "nmt.containerSecurity" . | nindent 4 }}
  resources:
    requests:
      cpu: 50m
      memory: 192Mi
    limits:
      memory: 512Mi
{{- end }}
headGroupSpec:
  rayStartParams:
    dashboard-host: 0.0.0.0
    num-cpus: "0"
  template:
    {{- include "nmt.headTemplate" . | trim | nindent 4 }}
{{- end }}
