{{/*
The changes of `podTemplate` to a Pod template, merged as `kubectl patch` merges them: fields of objects one
by one, and the members of a list by the field that names them.
*/}}

{{/*
A Pod template with the changes for every Pod, and then those for its kind: root, template (text), own (its
kind's podTemplate).
*/}}
{{- define "nmt.patched" -}}
{{- $patches := compact (list .root.Values.podTemplate (.own | default dict)) }}
{{- if not $patches }}
{{- .template }}
{{- else }}
{{- $pod := .template | trim | fromYaml }}
{{- $main := (first $pod.spec.containers).name }}
{{- $before := include "nmt.containerNames" $pod | fromJson }}
{{- range $patches }}
  {{- $patch := deepCopy . }}
  {{- range (dig "spec" "containers" list $patch) }}
    {{- $_ := set . "name" (ternary $main .name (eq .name "main")) }}
  {{- end }}
  {{- include "nmt.merge" (dict "under" $pod "over" $patch) }}
{{- end }}
{{- range concat $pod.spec.containers ($pod.spec.initContainers | default list) }}
  {{- if not (hasKey $before .name) }}
    {{- include "nmt.secure" . }}
  {{- end }}
  {{- /* The API server's default, as at the chart's own ports. */}}
  {{- range .ports }}
    {{- $_ := set . "protocol" (.protocol | default "TCP") }}
  {{- end }}
{{- end }}
{{- toYaml $pod }}
{{- end }}
{{- end }}

{{/* The names of a Pod template's containers, as the keys of a JSON object. */}}
{{- define "nmt.containerNames" -}}
{{- $names := dict }}
{{- range concat .spec.containers (.spec.initContainers | default list) }}
  {{- $_ := set $names .name true }}
{{- end }}
{{- toJson $names }}
{{- end }}

{{/* Give an added container what Pod Security "restricted" wants, unless it says otherwise itself. */}}
{{- define "nmt.secure" -}}
{{- $security := include "nmt.containerSecurity" . | fromYaml }}
{{- include "nmt.overlay" (dict "under" $security "over" (.securityContext | default dict)) }}
{{- $_ := set . "securityContext" $security }}
{{- end }}

{{/* Merge an object into another one, which it changes: under, over. */}}
{{- define "nmt.merge" -}}
{{- $names := dict
      "containers" "name" "initContainers" "name" "env" "name" "volumes" "name" "imagePullSecrets" "name"
      "volumeMounts" "mountPath" "volumeDevices" "devicePath" "ports" "containerPort" "hostAliases" "ip"
      "topologySpreadConstraints" "topologyKey" "resourceClaims" "name" }}
{{- range $key, $value := .over }}
  {{- $below := index $.under $key }}
  {{- if and (kindIs "map" $value) (kindIs "map" $below) }}
    {{- include "nmt.merge" (dict "under" $below "over" $value) }}
  {{- else if and (kindIs "slice" $below) (hasKey $names $key) }}
    {{- $merged := dict "under" $below "over" $value "by" (get $names $key) "deep" (hasSuffix "ontainers" $key) }}
    {{- include "nmt.mergeLists" $merged }}
    {{- $_ := set $.under $key $merged.under }}
  {{- else }}
    {{- $_ := set $.under $key $value }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
Merge a list into another one, `under`, which is set to the result: under, over, by (the field that names a
member), deep (whether members are merged; others are replaced, as they have one source each).
*/}}
{{- define "nmt.mergeLists" -}}
{{- $by := .by }}
{{- range $member := .over }}
  {{- $found := false }}
  {{- $list := list }}
  {{- range $old := $.under }}
    {{- $same := eq (toString (index $old $by)) (toString (index $member $by)) }}
    {{- $found = or $found $same }}
    {{- if and $same $.deep }}
      {{- include "nmt.merge" (dict "under" $old "over" $member) }}
    {{- end }}
    {{- $list = append $list (ternary $member $old (and $same (not $.deep))) }}
  {{- end }}
  {{- $_ := set $ "under" (ternary $list (append $list $member) $found) }}
{{- end }}
{{- end }}
