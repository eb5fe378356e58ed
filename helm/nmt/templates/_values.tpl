{{/*
The first line of every template: it completes the values and checks them, once.
*/}}
{{- define "nmt.begin" -}}
{{- if not (hasKey .Values "begun") }}
  {{- include "nmt.restore" . }}
  {{- $_ := set .Values "begun" true }}
  {{- include "nmt.checks" . }}
{{- end }}
{{- end }}

{{/*
Give every section, and every key of it, that a values file leaves without content its default. Helm
removes such a key and its default from the values. `podSecurity` has keys that are meant to be removed.
*/}}
{{- define "nmt.restore" -}}
{{- $sections := .Files.Get "files/section-defaults.json" | fromJson }}
{{- range $path := keys $sections | sortAlpha }}
  {{- $section := $.Values }}
  {{- range compact (splitList "." $path) }}
    {{- $section = index $section . }}
  {{- end }}
  {{- range $key, $default := index $sections $path }}
    {{- if eq (index $section $key) nil }}
      {{- $_ := set $section $key $default }}
    {{- end }}
  {{- end }}
{{- end }}
{{- if not .Values.workers }}
  {{- $_ := set .Values "workers" (index $sections "").workers }}
{{- end }}
{{- end }}

{{/*
Merge a tree into another one, which it changes: under, over. Unlike with `mergeOverwrite`, a 0, false
or null in `over` replaces the value in `under`.
*/}}
{{- define "nmt.overlay" -}}
{{- range $key, $value := .over }}
  {{- $below := index $.under $key }}
  {{- if and (kindIs "map" $value) (kindIs "map" $below) }}
    {{- include "nmt.overlay" (dict "under" $below "over" $value) }}
  {{- else }}
    {{- $_ := set $.under $key $value }}
  {{- end }}
{{- end }}
{{- end }}

{{/* A worker group of the values with its defaults, as JSON: root, name. */}}
{{- define "nmt.group" -}}
{{- $group := .root.Files.Get "files/worker-group-defaults.json" | fromJson }}
{{- include "nmt.overlay" (dict "under" $group "over" (index .root.Values.workers .name)) }}
{{- toJson $group }}
{{- end }}

{{/* All settings of `config` with their defaults, as JSON. */}}
{{- define "nmt.config" -}}
{{- $config := .Files.Get "files/config-defaults.json" | fromJson }}
{{- include "nmt.overlay" (dict "under" $config "over" .Values.config) }}
{{- toJson $config }}
{{- end }}

{{/*
The settings of the endpoint that the values have, as JSON. By default every Pod of the namespace may call
it, so requests need a key unless the values say otherwise: `host`, which decides this elsewhere, is not
used in a Pod.
*/}}
{{- define "nmt.serving" -}}
{{- $serving := .Values.config.serving | default dict }}
{{- if not (kindIs "bool" (get $serving "require_keys")) }}
  {{- $serving = merge (dict "require_keys" true) $serving }}
{{- end }}
{{- toJson $serving }}
{{- end }}

{{/* A quantity of the Kubernetes API as a number. */}}
{{- define "nmt.quantity" -}}
{{- $units := dict "" 1.0 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 }}
{{- mulf (regexFind "^[0-9.]+" . | float64) (index $units (regexFind "[a-zA-Z]*$" .)) }}
{{- end }}
