{{/*
Ray Pods. The RayCluster, the RayService and the jobs (through the release ConfigMap) are written
by the same templates, so that they never differ by accident.
*/}}

{{/* Environment of a Ray container: root, component, env (of its group), head (whether it is a head's). */}}
{{- define "nmt.rayEnv" -}}
{{- $storage := .root.Values.storage }}
{{- $hub := ternary (printf "%s/hub" $storage.mountPath) "/tmp/hub" (eq $storage.type "claim") }}
{{- $own := dict "HF_HOME" $hub "RAY_USAGE_STATS_ENABLED" "0" }}
{{- if .head }}
  {{- /*
  A head takes a node for lost after five failed questions. A Pod that was killed refuses them, and is lost after
  5 s instead of Ray's 15 s; until then Ray Train and Serve wait for its processes. One that does not answer at
  all is lost after 30 s instead of 65 s.
  */}}
  {{- $own = merge (dict "RAY_health_check_period_ms" "1000" "RAY_health_check_timeout_ms" "5000") $own }}
{{- end }}
{{- $secret := "" }}
{{- if eq .component "serving" }}
  {{- $secret = .root.Values.serving.storageSecretName }}
  {{- $drain := dict "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S" (include "nmt.rayDrain" .root) }}
  {{- /* An engine brings all of its files: nothing is taken from the hub. */}}
  {{- $state := include "nmt.headStateEnv" . | fromJson }}
  {{- $own = merge (dict "HF_HOME" "/tmp/hub") $drain $state (include "nmt.serveEnvironment" .root | fromJson) $own }}
{{- end }}
{{- $env := merge (dict) (.env | default dict) .root.Values.env $own }}
{{- include "nmt.storageEnv" (dict "root" .root "env" $env "secret" $secret) }}
{{- end }}

{{/*
Requests and limits of a Ray container: memory, memoryRequest, disk, diskRequest, cpuRequest, and of
workers cpus, gpus, gpuResource, extraResources. There is no CPU limit: it would stall the raylet's
heartbeats.
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
  ephemeral-storage: {{ .diskRequest | default .disk | quote }}
  {{- range $name, $amount := $extra }}
  {{ $name }}: {{ $amount | quote }}
  {{- end }}
limits:
  memory: {{ .memory | quote }}
  ephemeral-storage: {{ .disk | quote }}
  {{- range $name, $amount := $extra }}
  {{ $name }}: {{ $amount | quote }}
  {{- end }}
{{- end }}

{{/* What Serve's processes read, as JSON: `ray_jobs.runtime.serve_environment`, and the image's command. */}}
{{- define "nmt.serveEnvironment" -}}
{{- $environments := .Files.Get "files/serve-environment.json" | fromJson }}
{{- $limit := (include "nmt.config" . | fromJson).serving.max_requests | int | toString }}
{{- $own := dict "RAY_SERVE_HAPROXY_BINARY_PATH" "/opt/venv/bin/nmt-haproxy" "NMT_MAX_REQUESTS" $limit }}
{{- merge $own (get $environments (ternary "haproxy" "python" .Values.serving.haproxy)) | toJson }}
{{- end }}

{{/*
How a serving Pod ends, by the seconds since its deletion:

  0             Its Service drops it at once, and clients learn of that within seconds. Its proxy and
                its replicas work on.
  drainSeconds  Ray gets SIGTERM and tells Serve, which starts replicas elsewhere, takes those of this
                Pod out of all proxies, and lets them finish what they have accepted.
  + rayDrain    Ray ends whatever is left.
  + 15          Kubernetes kills the Pod.

So rayDrain is the longest that a replica may take (`graceful_shutdown_timeout_s`: a request and 10 s)
or a proxy does (Serve drains it for 30 s and then asks every 5 s), and 10 s until Serve has noticed.
*/}}
{{- define "nmt.rayDrain" -}}
{{- $request := (include "nmt.config" . | fromJson).serving.request_timeout_seconds | ceil | int }}
{{- add (max (add $request 10) 40) 10 }}
{{- end }}

{{- define "nmt.servingGrace" -}}
{{ add .Values.serving.drainSeconds (include "nmt.rayDrain" . | int) 15 }}
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
Folders in the claim that replicas use, as `nmt.runs.layout` has them, as JSON. They read engines, and in the
endpoint's folder the traffic file, the keys and the glossaries: the folder is mounted and not the files,
since a file that is replaced by a rename would stay the old one. They write reports, documents and feedback.
*/}}
{{- define "nmt.replicaFolders" -}}
{{- $endpoint := include "nmt.endpointFolder" (dict "root" .) }}
{{- $writes := list }}
{{- range $kind := list "replicas" "documents" "feedback" }}
{{- $writes = append $writes (printf "%s/%s" $endpoint $kind) }}
{{- end }}
{{- $engines := include "nmt.storageFolder" (dict "root" . "path" "engines") }}
{{- dict "reads" (list $engines $endpoint) "writes" $writes | toJson }}
{{- end }}

{{/* The endpoint's folder or one in it, as a path within the claim: root, kind. */}}
{{- define "nmt.endpointFolder" -}}
{{- $config := include "nmt.config" .root | fromJson }}
{{- $path := printf "serving/%s/%s" $config.serving.name (.kind | default "") }}
{{- include "nmt.storageFolder" (dict "root" .root "path" $path) }}
{{- end }}

{{/* A folder below the storage root, as a path within the claim: root, path. */}}
{{- define "nmt.storageFolder" -}}
{{- $config := include "nmt.config" .root | fromJson }}
{{- $root := trimPrefix .root.Values.storage.mountPath $config.storage }}
{{- printf "%s/%s" $root .path | clean | trimPrefix "/" }}
{{- end }}

{{/* Image, security and mounts of a Ray container: root, component, mounts (more of them). */}}
{{- define "nmt.rayContainer" -}}
{{- $container := dict "root" .root "image" .root.Values.image "storage" true "mounts" .mounts }}
{{- if eq .component "serving" }}
{{- $container = include "nmt.replicaFolders" .root | fromJson | merge $container }}
{{- end }}
{{- include "nmt.container" $container }}
{{- end }}

{{/*
A container that makes folders of the claim: the Ray container mounts them, and a folder that the kubelet
makes belongs to root. Those of replicas, and with `head` also that of the head's state: root, head.
*/}}
{{- define "nmt.makeFolders" -}}
{{- $values := .root.Values }}
{{- if eq $values.storage.type "claim" }}
{{- $used := include "nmt.replicaFolders" .root | fromJson }}
{{- $folders := concat $used.reads $used.writes }}
{{- if .head }}
  {{- $folders = append $folders (include "nmt.headFolder" .root) }}
{{- end }}
- name: folders
  {{- include "nmt.container" (dict "root" .root "image" $values.image "storage" true) | nindent 2 }}
  command:
    - mkdir
    - -p
    {{- range $folders }}
    - {{ printf "%s/%s" $values.storage.mountPath . }}
    {{- end }}
  resources:
    {{- include "nmt.smallResources" (dict "cpu" "20m" "memory" "32Mi" "memoryLimit" "64Mi") | nindent 4 }}
{{- end }}
{{- end }}

{{/* Nodes and zones over which the Pods of the endpoint are spread; those of each Ray cluster by themselves. */}}
{{- define "nmt.servingSpread" -}}
{{- with .Values.serving.pods.spreadOver }}
topologySpreadConstraints:
  {{- range . }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "nmt.selector" (dict "root" $ "component" "serving") | nindent 8 }}
        ray.io/node-type: worker
    matchLabelKeys:
      - ray.io/cluster
  {{- end }}
{{- end }}
{{- end }}

{{/* What runs before Ray in a Pod of the endpoint: root, head (whether it is a head). */}}
{{- define "nmt.servingInit" -}}
{{- $embedded := and .head (eq (include "nmt.headState" .root) "embedded") }}
{{- $folder := and $embedded (not (include "nmt.headClaim" .root)) }}
{{- $containers := include "nmt.makeFolders" (dict "root" .root "head" $folder) }}
{{- if $embedded }}
  {{- $containers = printf "%s\n%s" $containers (include "nmt.headStateContainer" .root) }}
{{- end }}
{{- with trim $containers }}
initContainers:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
What keeps the Pods of a queued cluster waiting until Kueue has quota for them: root, component. Kueue adds
it to what is installed; without it here, the next upgrade would take it away, which Kueue refuses.
*/}}
{{- define "nmt.queueGate" -}}
{{- if has .component (list "serving" "cluster") }}
{{- if (index .root.Values .component).queue }}
schedulingGates:
  - name: kueue.x-k8s.io/elastic-job
{{- end }}
{{- end }}
{{- end }}

{{/*
Pod template of a head: root, component, head, autoscaling, priority. KubeRay gives the account of an
autoscaling head the rights that the autoscaler needs, so no worker shares it. The head of a job
terminates at once: with more time, its job would fail in the dying cluster, and KubeRay does not retry
a job that failed. A head of the endpoint that keeps its state makes way for the next one soon: clients
do not use it, and Ray would wait until it is killed.
*/}}
{{- define "nmt.headTemplate" -}}
{{- $serving := eq .component "serving" }}
{{- $pod := dict "root" .root "storage" true "placement" .head "priority" .priority "disk" .head.disk }}
{{- $_ := set $pod "autoscaler" .autoscaling }}
{{- $state := ternary (include "nmt.headState" .root) "none" $serving }}
{{- $drains := and $serving (eq $state "none") }}
{{- $_ := set $pod "grace" (ternary (include "nmt.servingGrace" .root) (ternary "5" "1" $serving) $drains) }}
{{- $_ := set $pod "account" (ternary "autoscaler" "jobs" .autoscaling) }}
{{- $container := dict "root" .root "component" .component }}
{{- if eq $state "embedded" }}
  {{- $_ := set $pod "volumes" (include "nmt.headStateVolumes" .root | fromJson).volumes }}
  {{- $_ := set $container "mounts" (list (include "nmt.headStateMount" (dict "root" .root "own" true) | fromJson)) }}
{{- end }}
metadata:
  {{- $annotations := dict "cluster-autoscaler.kubernetes.io/safe-to-evict" "false" }}
  {{- include "nmt.podMetadata" (dict "root" .root "component" .component "annotations" $annotations) | nindent 2 }}
spec:
  {{- include "nmt.queueGate" . | nindent 2 }}
  {{- include "nmt.podSpec" $pod | nindent 2 }}
  {{- if $serving }}
  {{- include "nmt.servingInit" (dict "root" .root "head" true) | nindent 2 }}
  {{- end }}
  containers:
    - name: ray-head
      {{- include "nmt.rayContainer" $container | nindent 6 }}
      {{- include "nmt.rayEnv" (dict "root" .root "component" .component "head" true) | nindent 6 }}
      resources:
        {{- include "nmt.resources" .head | trim | nindent 8 }}
      ports:
        - name: gcs-server
          containerPort: 6379
          protocol: TCP
        - name: dashboard
          containerPort: 8265
          protocol: TCP
        - name: client
          containerPort: 10001
          protocol: TCP
        - name: serve
          containerPort: 8000
          protocol: TCP
        - name: metrics
          containerPort: 8080
          protocol: TCP
        - name: as-metrics
          containerPort: 44217
          protocol: TCP
        - name: dash-metrics
          containerPort: 44227
          protocol: TCP
      {{- if $drains }}
      {{- include "nmt.drain" .root | nindent 6 }}
      {{- else if not $serving }}
      {{- include "nmt.startProbes" . | nindent 6 }}
      {{- end }}
{{- end }}

{{/* Pod template of a worker: root, component, group, account, priority, annotations. */}}
{{- define "nmt.workerTemplate" -}}
{{- $serving := eq .component "serving" }}
{{- $grace := ternary (include "nmt.servingGrace" .root) "60" $serving }}
metadata:
  {{- include "nmt.podMetadata" (dict "root" .root "component" .component "annotations" .annotations) | nindent 2 }}
spec:
  {{- include "nmt.queueGate" . | nindent 2 }}
  {{- $pod := dict "root" .root "storage" true "placement" .group "disk" .group.disk }}
  {{- $_ := merge $pod (dict "account" .account "priority" .priority "grace" $grace) }}
  {{- include "nmt.podSpec" $pod | nindent 2 }}
  {{- if $serving }}
  {{- include "nmt.servingSpread" .root | nindent 2 }}
  {{- include "nmt.servingInit" (dict "root" .root) | nindent 2 }}
  {{- end }}
  containers:
    - name: ray-worker
      {{- include "nmt.rayContainer" . | nindent 6 }}
      {{- include "nmt.rayEnv" (dict "root" .root "component" .component "env" .group.env) | nindent 6 }}
      resources:
        {{- include "nmt.resources" .group | trim | nindent 8 }}
      ports:
        - name: metrics
          containerPort: 8080
          protocol: TCP
        {{- if $serving }}
        - name: serve
          containerPort: 8000
          protocol: TCP
      {{- include "nmt.drain" .root | nindent 6 }}
      # A Pod takes requests while its Ray node runs, its proxy is not drained, and a replica behind
      # the proxy has an engine. KubeRay's own probe lacks the last and runs every 5 s only. What it
      # prints becomes an event of the Pod. The liveness probe is KubeRay's and asks the Ray node alone,
      # since a restart brings no engine. The head has KubeRay's probes: KubeRay starts the application
      # only when the head is ready.
      readinessProbe:
        exec:
          command:
            - bash
            - -c
            - |
              # A proxy that `env` names is not asked: wget would, for localhost too.
              ask() { wget -q --no-proxy --tries 1 -T 2 --content-on-error -O- "$1"; }
              refuse() { echo "$1"; exit 1; }
              ask http://localhost:52365/api/local_raylet_healthz | grep -q success || refuse "the Ray node is not healthy"
              ask http://localhost:8000/-/healthz | grep -q success || refuse "the proxy is drained, or has no replica"
              ask http://localhost:8000/ready
        periodSeconds: 1
        timeoutSeconds: 3
        failureThreshold: 3
      {{- else }}
      {{- include "nmt.startProbes" . | nindent 6 }}
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
  {{- $template := include "nmt.workerTemplate" . }}
  {{- $patch := dict "root" .root "own" .group.podTemplate "template" $template }}
  {{- include "nmt.patched" $patch | trim | nindent 2 }}
{{- end }}

{{/*
How many Pods the autoscaler has chosen for a group: name, installed (the RayCluster, if any). An upgrade has
to keep it, since jobs may run on them. Without a cluster to ask, as in `helm template`, none are chosen yet.
*/}}
{{- define "nmt.scaled" -}}
{{- $scaled := dict "replicas" 0 }}
{{- range dig "spec" "workerGroupSpecs" list .installed }}
  {{- if eq .groupName $.name }}
    {{- $scaled = merge (pick . "replicas" "scaleStrategy") $scaled }}
  {{- end }}
{{- end }}
{{- toYaml $scaled }}
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
    {{- include "nmt.smallResources" (dict "cpu" "50m" "memory" "192Mi" "memoryLimit" "512Mi") | nindent 4 }}
{{- end }}
headGroupSpec:
  rayStartParams:
    dashboard-host: 0.0.0.0
    num-cpus: "0"
  template:
    {{- $template := include "nmt.headTemplate" . }}
    {{- $patch := dict "root" .root "own" .head.podTemplate "template" $template }}
    {{- include "nmt.patched" $patch | trim | nindent 4 }}
{{- end }}
