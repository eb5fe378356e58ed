{{/*
What KubeRay, Ray or Kubernetes would refuse later, or what can never work. Each check writes one
line for each fault: key, value, rule, what to do.
*/}}
{{- define "nmt.checks" -}}
{{- $said := list
      (include "nmt.checkNames" .) (include "nmt.checkImages" .) (include "nmt.checkStorage" .)
      (include "nmt.checkRay" .) (include "nmt.checkPods" .) (include "nmt.checkGroups" .)
      (include "nmt.checkMemory" .) (include "nmt.checkConfig" .) (include "nmt.checkJobs" .)
      (include "nmt.checkServing" .) (include "nmt.checkPriorities" .)
      (include "nmt.checkClaim" .) | join "\n" }}
{{- $faults := list }}
{{- range splitList "\n" $said }}
  {{- $faults = append $faults (trim .) }}
{{- end }}
{{- with compact $faults }}
  {{- fail (printf "values that cannot work:\n  %s\n" (join "\n  " .)) }}
{{- end }}
{{- end }}

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
{{- $redis := list "RAY_REDIS_ADDRESS" "REDIS_PASSWORD" "REDIS_USERNAME" }}
{{- $places := dict "env" .Values.env }}
{{- range $name, $group := .Values.workers }}
  {{- $_ := set $places (printf "workers.%s.env" $name) ($group.env | default dict) }}
{{- end }}
{{- range $place, $env := $places }}
  {{- range $variable := keys $env | sortAlpha }}
    {{- if has $variable $own }}
{{ $place }}.{{ $variable }} is set, and the chart or KubeRay sets it: leave it out
    {{- else if has $variable $redis }}
{{ $place }}.{{ $variable }} is set, and KubeRay refuses it, since the chart does not keep Ray's state in Redis: leave it out
    {{- else if not (regexMatch "^[A-Za-z_][A-Za-z0-9_]*$" $variable) }}
{{ $place }} holds '{{ $variable }}', which is no name of an environment variable
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Of a release that is installed: without a cluster to ask, nothing is found. */}}
{{- define "nmt.checkPriorities" -}}
{{- if .Values.priorities.create }}
{{- range $class := list "serve" "train" "tune" }}
  {{- $name := include "nmt.priorityClass" (dict "root" $ "class" $class) }}
  {{- $installed := lookup "scheduling.k8s.io/v1" "PriorityClass" "" $name }}
  {{- $value := int (index $.Values.priorities $class) }}
  {{- if and $installed (ne (int $installed.value) $value) }}
priorities.{{ $class }} is {{ $value }}, and the installed class has {{ int $installed.value }}, which Kubernetes does not let change: set priorities.{{ $class }}={{ int $installed.value }}, or uninstall the release first
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
