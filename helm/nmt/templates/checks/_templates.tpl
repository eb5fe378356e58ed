{{/*
Checks of `podTemplate`, that of every Pod and those of each kind: what would break a promise of the chart,
or what KubeRay or a later Pod would refuse. The schema knows the fields. See `nmt.checks`.
*/}}
{{- define "nmt.checkTemplates" -}}
{{- range $path, $template := include "nmt.podTemplates" . | fromJson }}
  {{- $spec := $template.spec | default dict }}
  {{- $all := eq $path "podTemplate" }}
  {{- $volumes := concat (dig "spec" "volumes" list $.Values.podTemplate) ($spec.volumes | default list) }}
  {{- $about := dict "root" $ "path" (printf "%s.spec" $path) "spec" $spec "all" $all "volumes" $volumes }}
  {{- include "nmt.checkPodMetadata" (dict "path" $path "metadata" ($template.metadata | default dict)) }}
  {{- include "nmt.checkPodDns" $about }}
  {{- include "nmt.checkVolumes" $about }}
  {{- include "nmt.checkContainers" $about }}
{{- end }}
{{- end }}

{{/* Every `podTemplate` that is not empty, by its path, as JSON. */}}
{{- define "nmt.podTemplates" -}}
{{- $values := .Values }}
{{- $found := dict
      "podTemplate" $values.podTemplate "jobs.head.podTemplate" $values.jobs.head.podTemplate
      "cluster.head.podTemplate" $values.cluster.head.podTemplate
      "serving.head.podTemplate" $values.serving.head.podTemplate
      "serving.pods.podTemplate" $values.serving.pods.podTemplate
      "operator.podTemplate" $values.operator.podTemplate }}
{{- range $name, $group := $values.workers }}
  {{- $_ := set $found (printf "workers.%s.podTemplate" $name) $group.podTemplate }}
{{- end }}
{{- range $path := keys $found }}
  {{- if not (get $found $path) }}
    {{- $_ := unset $found $path }}
  {{- end }}
{{- end }}
{{- toJson $found }}
{{- end }}

{{- define "nmt.checkPodMetadata" -}}
{{- range $kind := list "labels" "annotations" }}
  {{- range $name := keys (index $.metadata $kind | default dict) | sortAlpha }}
    {{- if regexMatch "^(app\\.kubernetes\\.io|ray\\.io|helm\\.sh|nmt)/" $name }}
{{ $.path }}.metadata.{{ $kind }} has '{{ $name }}', which the chart or KubeRay sets: choose another one
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "nmt.checkPodDns" -}}
{{- if and (eq (.spec.dnsPolicy | default "") "None") (not (dig "dnsConfig" "nameservers" list .spec)) }}
{{ .path }}.dnsPolicy is 'None', which leaves the Pod without a DNS server: name one in {{ .path }}.dnsConfig.nameservers
{{- end }}
{{- end }}

{{/* Names of the volumes that the chart, nmt-k8s and KubeRay make. */}}
{{- define "nmt.ownVolumes" -}}
tmp storage ray-logs head-state code code-zip shared-mem log-volume
{{- end }}

{{- define "nmt.checkVolumes" -}}
{{- $names := list }}
{{- range .spec.volumes }}
  {{- $sources := omit . "name" | keys | sortAlpha }}
  {{- if has .name (include "nmt.ownVolumes" $ | trim | splitList " ") }}
{{ $.path }}.volumes: '{{ .name }}' is a volume of the chart or of KubeRay: choose another name
  {{- end }}
  {{- if has .name $names }}
{{ $.path }}.volumes names '{{ .name }}' twice: give each volume a name of its own
  {{- end }}
  {{- if ne (len $sources) 1 }}
{{ $.path }}.volumes: '{{ .name }}' has {{ len $sources }} sources ({{ join ", " $sources }}): give it one, like configMap or csi
  {{- end }}
  {{- $names = append $names .name }}
{{- end }}
{{- end }}

{{- define "nmt.checkContainers" -}}
{{- $own := list "main" }}
{{- if not .all }}
  {{- $own = append $own (ternary "ray-head" "ray-worker" (contains ".head." .path)) }}
{{- end }}
{{- range $list := list "containers" "initContainers" }}
  {{- $names := list }}
  {{- range $container := index $.spec $list }}
    {{- $path := printf "%s.%s '%s'" $.path $list .name }}
    {{- $about := dict "root" $.root "path" $path "container" . "all" $.all "volumes" $.volumes }}
    {{- if has .name $names }}
{{ $path }} is there twice: give each container a name of its own
    {{- end }}
    {{- $names = append $names .name }}
    {{- if and (eq $list "containers") (has .name $own) }}
      {{- include "nmt.checkMain" $about }}
    {{- else }}
      {{- include "nmt.checkAdded" (merge $about (dict "list" $list)) }}
    {{- end }}
    {{- include "nmt.checkMounts" $about }}
    {{- include "nmt.checkContainerPorts" $about }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The Pod's own container: path, container. */}}
{{- define "nmt.checkMain" -}}
{{- range $key := keys .container | sortAlpha }}
  {{- if not (has $key (list "name" "env" "volumeMounts" "volumeDevices" "ports" "terminationMessagePolicy")) }}
{{ $.path }} has '{{ $key }}', which the chart sets for its own container: leave it out (its image, size and variables have values of their own)
  {{- end }}
{{- end }}
{{- end }}

{{/* A container beside it: path, container, all (whether it would be in every Pod), list. */}}
{{- define "nmt.checkAdded" -}}
{{- if has .container.name (list "main" "ray-head" "ray-worker" "ray-job-submitter" "nmt-k8s" "test" "autoscaler" "wait-gcs-ready" "folders" "head-state" "code") }}
{{ .path }} is a container of the chart or of KubeRay: choose another name{{ if .all }}, or take 'main' of containers for each Pod's own one{{ end }}
{{- else if not .container.image }}
{{ .path }} has no image: name one (the Pod's own container is called 'main')
{{- end }}
{{- if and .all (eq .list "containers") }}
{{ .path }} would run on in Pods that have to end, as those of a job do: make it one of initContainers with restartPolicy: Always, which ends with the Pod's own container, or put it into the podTemplate of one kind
{{- end }}
{{- if not (has "ALL" (dig "securityContext" "capabilities" "drop" (list "ALL") .container)) }}
{{ .path }}.securityContext.capabilities.drop lacks 'ALL', which Pod Security restricted wants: add it
{{- end }}
{{- end }}

{{/* root, path, container, volumes (those of the values), all. */}}
{{- define "nmt.checkMounts" -}}
{{- $known := list "tmp" }}
{{- if and (not .all) (eq .root.Values.storage.type "claim") }}
  {{- $known = append $known "storage" }}
{{- end }}
{{- range .volumes }}
  {{- $known = append $known .name }}
{{- end }}
{{- range .container.volumeMounts }}
  {{- if not (has .name $known) }}
{{ $.path }} mounts '{{ .name }}', which is not among the volumes ({{ join ", " $known }}): add it to volumes
  {{- end }}
{{- end }}
{{- if has .container.name (list "main" "ray-head" "ray-worker") }}
  {{- $storage := trimSuffix "/" .root.Values.storage.mountPath }}
  {{- range .container.volumeMounts }}
    {{- $folder := clean .mountPath }}
    {{- $below := hasPrefix (printf "%s/" $storage) (printf "%s/" $folder) }}
    {{- $above := hasPrefix (printf "%s/" $folder) (printf "%s/" $storage) }}
    {{- if or $below $above (regexMatch "^/$|^/(etc|opt|run|var|var/run)$|^/(tmp|dev|proc|sys|usr|bin|sbin|lib|lib64|code|code-zip|opt/nmt|opt/venv|run/secrets/kubernetes.io|var/run/secrets/kubernetes.io)(/|$)" $folder) }}
{{ $.path }} mounts '{{ .name }}' at {{ .mountPath }}, which would hide what the container needs: take a folder of its own, like /etc/{{ .name }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "nmt.checkContainerPorts" -}}
{{- range .container.ports }}
  {{- $port := int .containerPort }}
  {{- if or (has $port (list 6379 8000 8080 8265 8404 9101 30000 44217 44227 52365)) (and (ge $port 10001) (le $port 19999)) }}
{{ $.path }} has port {{ $port }}, which Ray takes in the same Pod: choose one from 20000 to 29999, or below 6379
  {{- end }}
{{- end }}
{{- end }}
