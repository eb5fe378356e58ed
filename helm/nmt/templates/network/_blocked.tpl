{{/* Addresses in the values that the NetworkPolicies block, for the notes after an installation. */}}

{{/*
Addresses in the values that Pods are to reach, as JSON by their keys: of a tracking server, of a bucket
server, of proxies.
*/}}
{{- define "nmt.addresses" -}}
{{- $found := dict }}
{{- $override := regexFind "endpoint_override=[^&]+" .Values.storage.object.url }}
{{- $_ := set $found "storage.object.url" (trimPrefix "endpoint_override=" $override) }}
{{- $tracking := (include "nmt.config" . | fromJson).tracking }}
{{- $_ := set $found "config.tracking.mlflow_uri" ($tracking.mlflow_uri | default "") }}
{{- range $name, $value := .Values.env }}
  {{- if regexMatch "(?i)^(https?|all)_proxy$|ENDPOINT|_UR[IL](_|$)" $name }}
    {{- $_ := set $found (printf "env.%s" $name) $value }}
  {{- end }}
{{- end }}
{{- toJson $found }}
{{- end }}

{{/*
Host and port of an address, as JSON; no host if it is a file or this Pod. By expressions, since Helm's
`urlParse` ends the installation at an address that it cannot read.
*/}}
{{- define "nmt.hostAndPort" -}}
{{- $scheme := regexFind "^[a-zA-Z][a-zA-Z0-9+.-]*://" . | lower }}
{{- $authority := regexReplaceAll "^.*@" (regexFind "^[^/?#]*" (regexReplaceAll "^[^:/]+://" . "")) "" }}
{{- $port := regexFind ":[0-9]+$" $authority | trimPrefix ":" }}
{{- $host := regexReplaceAll ":[0-9]+$" $authority "" | trimAll "[]" }}
{{- $remote := regexMatch "^(https?|socks[0-9a-z]*)://$" $scheme | or (and (not $scheme) $port) }}
{{- if or (not $remote) (regexMatch "^(localhost|127\\.|::1$)" $host) }}
  {{- $host = "" }}
{{- end }}
{{- dict "host" $host "port" ($port | default (ternary "80" "443" (eq $scheme "http://"))) | toJson }}
{{- end }}

{{/* Whether a host is in a private network or in the cluster, as far as its name tells. */}}
{{- define "nmt.isPrivate" -}}
{{- $ipv4 := "10|169\\.254|192\\.168|172\\.(1[6-9]|2[0-9]|3[01])|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])" }}
{{- $ipv6 := "f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:" }}
{{- $service := "[^.:]+$|[^:]*\\.(svc|svc\\..*|local|internal)$" }}
{{- if regexMatch (printf "^((%s)\\.|%s|%s)" $ipv4 $ipv6 $service) . }}yes{{ end }}
{{- end }}

{{/* Hosts and ports, by the keys that name them, which no policy lets Pods reach: one line each. */}}
{{- define "nmt.blockedAddresses" -}}
{{- $policies := .Values.networkPolicies }}
{{- /* As text: a number is an integer after `--set`, and a float64 from a file. */}}
{{- $open := list }}
{{- range $policies.outsidePorts }}
  {{- $open = append $open (int . | toString) }}
{{- end }}
{{- $extra := list }}
{{- range $policies.extraEgress }}
  {{- range .ports }}
    {{- $extra = append $extra (int . | toString) }}
  {{- end }}
{{- end }}
{{- $outside := or $policies.outside (eq .Values.storage.type "object") }}
{{- range $key, $address := include "nmt.addresses" . | fromJson }}
  {{- $to := include "nmt.hostAndPort" $address | fromJson }}
  {{- $private := and $policies.outsideExcept (include "nmt.isPrivate" $to.host) }}
  {{- $reached := and $outside (has $to.port $open) (not $private) }}
  {{- if and $policies.enabled $to.host (not $reached) (not (has $to.port $extra)) }}
  {{ $key }}: {{ $to.host }}, port {{ $to.port }}
  {{- end }}
{{- end }}
{{- end }}
