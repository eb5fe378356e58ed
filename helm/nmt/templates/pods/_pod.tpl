{{/*
Parts that all Pods and containers of a release share. They pass the Pod Security standard
"restricted", with a read-only root file system.
*/}}

{{/* Labels and annotations of a Pod: root, component, annotations. */}}
{{- define "nmt.podMetadata" -}}
labels:
  {{- merge (include "nmt.selector" . | fromYaml) .root.Values.podLabels | toYaml | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
The spec of a Pod without its containers: root; storage (whether it mounts the claim), account, token, grace,
placement, priority.
*/}}
{{- define "nmt.podSpec" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
{{- with .account }}
serviceAccountName: {{ include "nmt.fullname" $.root }}-{{ . }}
{{- end }}
{{- with .grace }}
terminationGracePeriodSeconds: {{ . }}
{{- end }}
{{- with .priority }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .placement }}
  {{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: {}
  {{- if and .storage (eq .root.Values.storage.type "claim") }}
  - name: storage
    persistentVolumeClaim:
      claimName: {{ include "nmt.claim" .root }}
  {{- end }}
{{- end }}

{{- define "nmt.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{/*
Image, security and mounts of a container: root, image; storage (whether it mounts the claim), folders
(the only ones of the claim that it may write to).
*/}}
{{- define "nmt.container" -}}
image: {{ include "nmt.image" . | quote }}
imagePullPolicy: {{ .image.pullPolicy }}
securityContext:
  {{- include "nmt.containerSecurity" . | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- if and .storage (eq .root.Values.storage.type "claim") }}
  - name: storage
    mountPath: {{ .root.Values.storage.mountPath }}
    {{- if .folders }}
    readOnly: true
    {{- end }}
  {{- range .folders }}
  - name: storage
    mountPath: {{ printf "%s/%s" $.root.Values.storage.mountPath . }}
    subPath: {{ . }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* Secrets as environment variables, only by reference: names. */}}
{{- define "nmt.envFrom" -}}
{{- with compact .names }}
envFrom:
  {{- range . }}
  - secretRef:
      name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Environment of a container that uses the storage: root, env; secret (with other keys of the bucket). */}}
{{- define "nmt.storageEnv" -}}
{{- $values := .root.Values }}
{{- include "nmt.env" (merge (dict "NMT_STORAGE" (include "nmt.storageRoot" .root)) .env) }}
{{- $bucket := ternary (.secret | default $values.storage.object.secretName) "" (eq $values.storage.type "object") }}
{{- include "nmt.envFrom" (dict "names" (list $values.envSecretName $bucket)) }}
{{- end }}

{{/* A mapping as `env`. */}}
{{- define "nmt.env" -}}
env:
  {{- range $name, $value := . }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
{{- end }}
