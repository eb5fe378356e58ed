{{/* Checks of where the head of the endpoint keeps its state: `serving.headState` and what it needs. See `nmt.checks`. */}}
{{- define "nmt.checkHeadState" -}}
{{- if .Values.serving.enabled }}
{{- $serving := .Values.serving }}
{{- $state := include "nmt.headState" . }}
{{- $claim := or $serving.headClaim.create $serving.headClaim.name }}
{{- if and (eq $state "embedded") (eq .Values.storage.type "object") (not $claim) }}
serving.headState is 'embedded' and storage.type is 'object', and a bucket holds no database: set serving.headClaim.create=true, or serving.headState=none or redis
{{- end }}
{{- if and $serving.headClaim.create $serving.headClaim.name }}
serving.headClaim.name is '{{ $serving.headClaim.name }}' and serving.headClaim.create is true: leave the name out to create a claim, or set serving.headClaim.create=false to use the one that exists
{{- end }}
{{- if and $claim (ne $state "embedded") }}
serving.headClaim is set and serving.headState is '{{ $serving.headState }}', which needs no volume: leave it out, or set serving.headState=embedded
{{- end }}
{{- if and (eq $state "embedded") (semverCompare "<2.57.0" .Values.ray.version) }}
ray.version is '{{ .Values.ray.version }}' and serving.headState is '{{ $serving.headState }}', which needs 2.57.0: take a newer image, or set serving.headState=none or redis
{{- end }}
{{- include "nmt.checkRedis" (dict "redis" $serving.headRedis "state" $state "given" $serving.headState) }}
{{- end }}
{{- end }}

{{/* headRedis: redis, state, given (the state in the values). The address is not shown if it may hold a password. */}}
{{- define "nmt.checkRedis" -}}
{{- if and (ne .state "redis") (or .redis.address .redis.secretName) }}
serving.headRedis is set and serving.headState is '{{ .given }}': set serving.headState=redis to use it, or leave it out
{{- end }}
{{- if eq .state "redis" }}
{{- if not .redis.address }}
serving.headRedis.address is empty and serving.headState is 'redis': give the address, like redis.team.svc:6379
{{- else if contains "@" .redis.address }}
serving.headRedis.address holds a password, for all to read: put it into a Secret that serving.headRedis.secretName names
{{- else if not (regexMatch "^(rediss?://)?[a-zA-Z0-9]([-.a-zA-Z0-9]*[a-zA-Z0-9])?:[0-9]{1,5}$" .redis.address) }}
serving.headRedis.address is '{{ .redis.address }}': write a host and a port, like redis.team.svc:6379
{{- end }}
{{- end }}
{{- end }}

{{/* The port of the Redis. */}}
{{- define "nmt.redisPort" -}}
{{ regexFind "[0-9]+$" .Values.serving.headRedis.address }}
{{- end }}
