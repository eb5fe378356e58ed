{{/*
Checks of what becomes a name, a label, an image or an environment variable: what Kubernetes, KubeRay
and Ray accept there. See `nmt.checks`.
*/}}
{{- define "nmt.checkNames" -}}
{{- $name := include "nmt.fullname" . }}
{{- $key := ternary "nameOverride" "the release's name" (not (empty .Values.nameOverride)) }}
{{- if gt (len $name) 36 }}
{{ $key }} '{{ $name }}' has {{ len $name }} characters, and names of Ray objects made from it may have 36: set a shorter nameOverride
{{- end }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) }}
{{ $key }} '{{ $name }}' cannot name Ray objects: it must begin with a letter and hold lower-case letters, digits and hyphens alone; set another nameOverride
{{- end }}
{{- range $key := list "podLabels" "podAnnotations" }}
  {{- range $label := keys (index $.Values $key) | sortAlpha }}
    {{- if regexMatch "^(app\\.kubernetes\\.io|ray\\.io|helm\\.sh)/" $label }}
{{ $key }} holds '{{ $label }}', which the chart or KubeRay sets: choose another one
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "nmt.checkImages" -}}
{{- range $key := list "image" "toolsImage" }}
  {{- $repository := (index $.Values $key).repository }}
  {{- if not $repository }}
{{ $key }}.repository is empty: name the image that you have pushed, like registry.example.com/team/{{ ternary "nmt-ray" "nmt-tools" (eq $key "image") }}
  {{- end }}
  {{- if regexMatch "(:[^/]*$|@)" $repository }}
{{ $key }}.repository is '{{ $repository }}': give its tag as {{ $key }}.tag, or its digest as {{ $key }}.digest
  {{- end }}
{{- end }}
{{- end }}

{{- define "nmt.checkRay" -}}
{{- if and .Values.ray.token (semverCompare "<2.52.0" .Values.ray.version) }}
ray.version is '{{ .Values.ray.version }}' and ray.token is true, which needs 2.52.0: take a newer image, or set ray.token=false
{{- end }}
{{- $own := list "NMT_STORAGE" "HF_HOME" "RAY_USAGE_STATS_ENABLED" "RAY_AUTH_MODE" "RAY_AUTH_TOKEN" "RAY_enable_autoscaler_v2" "RAY_ADDRESS" }}
{{- $drain := list "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S" "RAY_SERVE_PROXY_MIN_DRAINING_PERIOD_S" }}
{{- $serve := concat (include "nmt.serveEnvironment" . | fromJson | keys) (list "RAY_SERVE_ENABLE_DIRECT_INGRESS") $drain }}
{{- $redis := list "RAY_REDIS_ADDRESS" "REDIS_PASSWORD" "REDIS_USERNAME" }}
{{- $state := list "RAY_gcs_storage" "RAY_gcs_storage_path" "NMT_RAY_CLUSTER" }}
{{- $environments := dict "env" .Values.env }}
{{- range $name, $group := .Values.workers }}
  {{- $_ := set $environments (printf "workers.%s.env" $name) ($group.env | default dict) }}
{{- end }}
{{- range $path, $template := include "nmt.podTemplates" . | fromJson }}
  {{- range $container := dig "spec" "containers" list $template }}
    {{- $variables := dict }}
    {{- range .env }}
      {{- $_ := set $variables .name true }}
    {{- end }}
    {{- if has .name (list "main" "ray-head" "ray-worker") }}
      {{- $_ := set $environments (printf "%s.spec.containers '%s' env" $path .name) $variables }}
    {{- end }}
  {{- end }}
{{- end }}
{{- range $key, $env := $environments }}
  {{- range $variable := keys $env | sortAlpha }}
    {{- if has $variable $own }}
{{ $key }}.{{ $variable }} is set, and the chart or KubeRay sets it: leave it out
    {{- else if eq $variable "RAY_SERVE_ENABLE_HA_PROXY" }}
{{ $key }}.{{ $variable }} is set, and the chart sets it from serving.haproxy: leave it out, and set serving.haproxy
    {{- else if has $variable $drain }}
{{ $key }}.{{ $variable }} is set, and the chart computes it, so that a Pod has time to finish its requests: leave it out, and set serving.drainSeconds or config.serving.request_timeout_seconds
    {{- else if has $variable $serve }}
{{ $key }}.{{ $variable }} is set, and the chart sets it in the Pods of the endpoint: leave it out
    {{- else if has $variable $redis }}
{{ $key }}.{{ $variable }} is set, and KubeRay refuses it: leave it out, and set serving.headRedis
    {{- else if has $variable $state }}
{{ $key }}.{{ $variable }} is set, and the chart sets it in the head of the endpoint: leave it out, and set serving.headState
    {{- else if and (eq (lower $variable) "no_proxy") (regexMatch ":[0-9a-fA-F:]*/" (get $env $variable)) }}
{{ $key }}.{{ $variable }} holds a range of IPv6 addresses, at which httpx, the client of the hub, ends with an error: name single addresses or domains
    {{- else if not (regexMatch "^[A-Za-z_][A-Za-z0-9_]*$" $variable) }}
{{ $key }} holds '{{ $variable }}', which is not a name of an environment variable
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
