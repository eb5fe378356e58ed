{{/*
Checks of what the values hold of objects of Kubernetes, at whatever depth: labels, annotations, selectors
and tolerations. Most of them become parts of Pod templates inside custom resources, where the API server
checks types alone. See `nmt.checks`.
*/}}
{{- define "nmt.checkFragments" -}}
{{- range $key, $value := omit .Values "config" "global" }}
{{- include "nmt.checkFragment" (dict "path" $key "key" $key "node" $value) }}
{{- end }}
{{- end }}

{{/* A part of the values and all below it: path, key (the last one of the path), node. */}}
{{- define "nmt.checkFragment" -}}
{{- if kindIs "map" .node }}
  {{- if has .key (list "labels" "podLabels" "matchLabels" "nodeSelector") }}
    {{- include "nmt.checkLabels" . }}
  {{- else if has .key (list "annotations" "podAnnotations" "serviceAnnotations") }}
    {{- include "nmt.checkLabelNames" . }}
  {{- else }}
    {{- range $key, $value := .node }}
      {{- include "nmt.checkFragment" (dict "path" (printf "%s.%s" $.path $key) "key" $key "node" $value) }}
    {{- end }}
  {{- end }}
{{- else if kindIs "slice" .node }}
  {{- range $index, $value := .node }}
    {{- $item := dict "path" (printf "%s[%d]" $.path $index) "key" $.key "node" $value }}
    {{- include "nmt.checkFragment" $item }}
    {{- if eq $.key "tolerations" }}
      {{- include "nmt.checkToleration" $item }}
    {{- else if eq $.key "matchExpressions" }}
      {{- include "nmt.checkRequirement" $item }}
    {{- else if eq $.key "spreadOver" }}
      {{- include "nmt.checkLabelName" (dict "path" $item.path "name" $value) }}
    {{- end }}
  {{- end }}
{{- else if eq .key "topologyKey" }}
  {{- include "nmt.checkLabelName" (dict "path" .path "name" .node) }}
{{- end }}
{{- end }}

{{- define "nmt.checkLabels" -}}
{{- include "nmt.checkLabelNames" . }}
{{- range $name, $value := .node }}
  {{- include "nmt.checkLabelValue" (dict "path" (printf "%s.%s" $.path $name) "value" $value) }}
{{- end }}
{{- end }}

{{- define "nmt.checkLabelNames" -}}
{{- range $name := keys .node | sortAlpha }}
  {{- include "nmt.checkLabelName" (dict "path" $.path "name" $name) }}
{{- end }}
{{- end }}

{{/* Not empty if labels, annotations and resources may have this name. */}}
{{- define "nmt.isQualifiedName" -}}
{{- $parts := splitList "/" . }}
{{- $prefix := ternary (first $parts) "" (gt (len $parts) 1) }}
{{- $good := regexMatch "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$" . }}
{{- if and $good (not (contains ".." $prefix)) (le (len $prefix) 253) (le (len (last $parts)) 63) }}yes{{ end }}
{{- end }}

{{/* The name of a label or an annotation: path, name. */}}
{{- define "nmt.checkLabelName" -}}
{{- if not (include "nmt.isQualifiedName" .name) }}
{{ .path }} has '{{ .name }}', which cannot name a label or an annotation: take up to 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or a digit, perhaps behind a domain, like example.com/team
{{- end }}
{{- end }}

{{/* The value of a label: path, value. */}}
{{- define "nmt.checkLabelValue" -}}
{{- $value := toString .value }}
{{- if or (gt (len $value) 63) (not (regexMatch "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$" $value)) }}
{{ .path }} is '{{ $value }}', which cannot be the value of a label: take up to 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or a digit
{{- end }}
{{- end }}

{{/* A condition on labels, whose operator the schema knows: path, node. */}}
{{- define "nmt.checkRequirement" -}}
{{- $values := .node.values | default list }}
{{- $operator := .node.operator }}
{{- include "nmt.checkLabelName" (dict "path" (printf "%s.key" .path) "name" .node.key) }}
{{- if and (has $operator (list "In" "NotIn")) (not $values) }}
{{ .path }}.values is empty, and operator {{ $operator }} compares with values: name at least one, or take Exists or DoesNotExist
{{- else if and (has $operator (list "Exists" "DoesNotExist")) $values }}
{{ .path }}.values is set, and operator {{ $operator }} takes none: leave it out, or take In or NotIn
{{- else if and (has $operator (list "Gt" "Lt")) (not (regexMatch "^-?[0-9]+$" (join "," $values))) }}
{{ .path }}.values is '{{ join "," $values }}', and operator {{ $operator }} compares with one whole number: write it like ["4"]
{{- end }}
{{- range $index, $value := $values }}
  {{- include "nmt.checkLabelValue" (dict "path" (printf "%s.values[%d]" $.path $index) "value" $value) }}
{{- end }}
{{- end }}

{{/* A toleration, whose operator and effect the schema knows: path, node. */}}
{{- define "nmt.checkToleration" -}}
{{- $exists := eq (.node.operator | default "Equal") "Exists" }}
{{- with .node.key }}
  {{- include "nmt.checkLabelName" (dict "path" (printf "%s.key" $.path) "name" .) }}
{{- end }}
{{- if and (not .node.key) (not $exists) }}
{{ .path }}.key is empty, which means every taint and needs operator Exists: set {{ .path }}.key, or operator: Exists
{{- end }}
{{- if and $exists .node.value }}
{{ .path }}.value is '{{ .node.value }}', and operator Exists compares no value: leave it out, or take operator Equal
{{- end }}
{{- include "nmt.checkLabelValue" (dict "path" (printf "%s.value" .path) "value" (.node.value | default "")) }}
{{- if and (hasKey .node "tolerationSeconds") (ne (.node.effect | default "") "NoExecute") }}
{{ .path }}.tolerationSeconds is set, which only effect NoExecute has: leave it out, or set effect: NoExecute
{{- end }}
{{- end }}
