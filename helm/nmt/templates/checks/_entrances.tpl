{{/* Checks of what leads to the endpoint from outside: `serving.ingress` and `serving.httpRoute`. */}}
{{- define "nmt.checkEntrances" -}}
{{- $ingress := .Values.serving.ingress }}
{{- $route := .Values.serving.httpRoute }}
{{- range $key := list "ingress" "httpRoute" }}
  {{- if and (index $.Values.serving $key).enabled (not $.Values.serving.enabled) }}
serving.{{ $key }}.enabled is true and serving.enabled is false, so there is nothing behind it: set serving.enabled=true, or leave it out
  {{- end }}
{{- end }}
{{- if and $ingress.enabled (not $ingress.hosts) }}
serving.ingress.hosts is empty, and the Ingress would take the requests of every host: name at least one, like translate.example.com
{{- end }}
{{- if and $route.enabled (not $route.parentRefs) }}
serving.httpRoute.parentRefs is empty, and a route without a Gateway gets no requests: name one, like {name: public, namespace: gateways}
{{- end }}
{{- $hosts := dict "serving.ingress.hosts" $ingress.hosts "serving.httpRoute.hostnames" $route.hostnames }}
{{- range $key, $names := $hosts }}
  {{- range $index, $host := $names }}
    {{- if or (gt (len $host) 253) (not (regexMatch "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$" $host)) }}
{{ $key }}[{{ $index }}] is '{{ $host }}', which is not a host name: write it in lower case and without scheme, port or path, like translate.example.com or *.example.com
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Whether a peer of another namespace, or an address, may call the endpoint. */}}
{{- define "nmt.openToOthers" -}}
{{- range .Values.networkPolicies.clients }}
  {{- if or (hasKey . "namespaceSelector") (hasKey . "ipBlock") }}true{{ end }}
{{- end }}
{{- end }}
