{{/* Checks of where the storage is: `storage` and `config.storage` together. See `nmt.checks`. */}}

{{/* An address with keys in it gets no further checks, since their messages would show it. */}}
{{- define "nmt.checkStorage" -}}
{{- include "nmt.checkKeys" . | default (include "nmt.checkLocations" .) }}
{{- end }}

{{- define "nmt.checkKeys" -}}
{{- $addresses := dict "storage.object.url" .Values.storage.object.url "config.storage" (.Values.config.storage | default "") }}
{{- range $key, $address := $addresses }}
  {{- if regexMatch "^[^:/]+://[^/?]*[@:]" $address }}
{{ $key }} holds keys before the bucket, for all to read: write s3://bucket/prefix, and put the keys into a Secret that storage.object.secretName names
  {{- end }}
{{- end }}
{{- end }}

{{- define "nmt.checkLocations" -}}
{{- $storage := .Values.storage }}
{{- if and (eq $storage.type "object") (not $storage.object.url) }}
storage.object.url is empty and storage.type is 'object': give the bucket, like s3://bucket/prefix
{{- end }}
{{- if and (eq $storage.type "claim") $storage.object.url }}
storage.object.url is '{{ $storage.object.url }}' and storage.type is 'claim': set storage.type=object to use the bucket
{{- end }}
{{- if and (eq $storage.type "claim") (not $storage.claim.create) (not $storage.claim.name) }}
storage.claim.name is empty and storage.claim.create is false: name the claim that exists
{{- end }}
{{- if and (eq $storage.type "claim") .Values.serving.storageSecretName }}
serving.storageSecretName is '{{ .Values.serving.storageSecretName }}' and storage.type is 'claim', which needs no keys: leave it out, or set storage.type=object
{{- end }}
{{- if regexMatch "^/(opt|var)$|^/(tmp|dev|proc|sys|etc|usr|bin|sbin|lib|lib64|run|var/run|code|code-zip|opt/nmt|opt/venv)(/|$)" $storage.mountPath }}
storage.mountPath is '{{ $storage.mountPath }}', which the container needs itself: take a folder of its own, like /storage
{{- end }}
{{- $root := .Values.config.storage | default "" }}
{{- if and (eq $storage.type "claim") (has ".." (splitList "/" $root)) }}
config.storage is '{{ $root }}', and Kubernetes mounts no folder whose path has '..': write the folder without it
{{- end }}
{{- $outside := and (regexMatch "^[/~]" $root) (not (hasPrefix (printf "%s/" $storage.mountPath) (printf "%s/" $root))) }}
{{- if and $outside (eq $storage.type "claim") }}
config.storage is '{{ $root }}', which is lost with the Pod: take a folder below {{ $storage.mountPath }}, or a relative one
{{- else if and (regexMatch "^[/~]" $root) (eq $storage.type "object") }}
config.storage is '{{ $root }}', which is lost with the Pod: take a relative one, below {{ $storage.object.url }}
{{- else if and (contains "://" $root) (eq $storage.type "claim") }}
config.storage is '{{ $root }}' and storage.type is 'claim': set storage.type=object and storage.object.url={{ $root }}
{{- end }}
{{- end }}
