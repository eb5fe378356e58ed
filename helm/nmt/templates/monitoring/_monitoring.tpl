{{/*
Whether Prometheus reads the endpoint's own metrics. Where requests need a key, it needs one too.
*/}}
{{- define "nmt.scrapesEndpoint" -}}
{{- $serving := .Values.config.serving | default dict }}
{{- $isOpen := and (hasKey $serving "require_keys") (eq (toString $serving.require_keys) "false") }}
{{- if and .Values.serving.enabled (or $isOpen .Values.monitoring.keySecret) }}true{{ end }}
{{- end }}
