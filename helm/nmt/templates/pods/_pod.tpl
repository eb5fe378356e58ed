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
The user and the groups of a Pod. What the values leave out, or set to null, the cluster chooses; Helm
removes a key that is null.
*/}}
{{- define "nmt.podSecurity" -}}
{{- $own := .Values.podSecurity | default dict -}}
runAsNonRoot: true
{{- range $key := list "runAsUser" "runAsGroup" "fsGroup" }}
  {{- $id := get $own $key }}
  {{- if not (or (kindIs "string" $id) (kindIs "invalid" $id)) }}
{{ $key }}: {{ int64 $id }}
  {{- end }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
{{- with $own.seLinuxOptions }}
seLinuxOptions:
  {{- toYaml . | nindent 2 }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/*
The spec of a Pod without its containers: root; disk (the limit of /tmp), storage (whether it mounts the
claim), autoscaler (whether it runs Ray's), token (whether its account's is mounted), account, grace, placement,
priority, volumes (more of them).
*/}}
{{- define "nmt.podSpec" -}}
securityContext:
  {{- include "nmt.podSecurity" .root | nindent 2 }}
automountServiceAccountToken: {{ or .autoscaler .token | default false }}
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
    emptyDir:
      sizeLimit: {{ .disk | default (include "nmt.smallDisk" .) }}
  {{- if .autoscaler }}
  # KubeRay mounts it into an autoscaling head and its autoscaler, and would make it without a limit.
  - name: ray-logs
    emptyDir:
      sizeLimit: {{ .disk }}
  {{- end }}
  {{- if and .storage (eq .root.Values.storage.type "claim") }}
  - name: storage
    persistentVolumeClaim:
      claimName: {{ include "nmt.claim" .root }}
  {{- end }}
  {{- with .volumes }}
  {{- toYaml . | nindent 2 }}
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
Image, security and mounts of a container: root, image; storage (whether it mounts the claim), reads and
writes (the only folders of the claim that it mounts, to read or to write), mounts (more of them).
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
  {{- if not (or .reads .writes) }}
  - name: storage
    mountPath: {{ .root.Values.storage.mountPath }}
  {{- end }}
  {{- range concat (.reads | default list) (.writes | default list) }}
  - name: storage
    mountPath: {{ printf "%s/%s" $.root.Values.storage.mountPath . }}
    subPath: {{ . }}
    {{- if has . $.reads }}
    readOnly: true
    {{- end }}
  {{- end }}
  {{- end }}
  {{- with .mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/*
Resources of a small container: cpu, memory, memoryLimit. Its local disk is that of `nmt.smallDisk`, and
the request covers a log.
*/}}
{{- define "nmt.smallResources" -}}
requests:
  cpu: {{ .cpu }}
  memory: {{ .memory }}
  ephemeral-storage: 64Mi
limits:
  memory: {{ .memoryLimit }}
  ephemeral-storage: {{ include "nmt.smallDisk" . }}
{{- end }}

{{/* Local disk of a Pod that only runs a command. */}}
{{- define "nmt.smallDisk" -}}
1Gi
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
{{- $own := include "nmt.noProxy" . | fromJson | merge (dict "NMT_STORAGE" (include "nmt.storageRoot" .root)) }}
{{- include "nmt.env" (merge $own .env) }}
{{- $bucket := ternary (.secret | default $values.storage.object.secretName) "" (eq $values.storage.type "object") }}
{{- include "nmt.envFrom" (dict "names" (list $values.envSecretName $bucket)) }}
{{- end }}

{{/*
NO_PROXY of an environment that names a proxy, as JSON: root, env. Without it probes, and Pods that call each
other or a Service, would go through the proxy. Clients read one or the other spelling, and either may be set
already.
*/}}
{{- define "nmt.noProxy" -}}
{{- $named := list }}
{{- $direct := list }}
{{- range $name, $value := .env }}
  {{- if regexMatch "(?i)^(https?|all|no)_proxy$" $name }}
    {{- $named = append $named $name }}
  {{- end }}
  {{- if eq (lower $name) "no_proxy" }}
    {{- $direct = concat $direct (splitList "," (nospace $value)) }}
  {{- end }}
{{- end }}
{{- $own := list "localhost" "127.0.0.1" "::1" ".svc" ".cluster.local" }}
{{- $all := concat $direct $own .root.Values.noProxy | compact | uniq | join "," }}
{{- if has "*" $direct }}
  {{- $all = "*" }}
{{- end }}
{{- ternary (dict "NO_PROXY" $all "no_proxy" $all) dict (gt (len $named) 0) | toJson }}
{{- end }}

{{/* A mapping as `env`: to values, or to what they come from. */}}
{{- define "nmt.env" -}}
env:
  {{- range $name, $value := . }}
  - name: {{ $name }}
    {{- if kindIs "map" $value }}
    {{- toYaml $value | nindent 4 }}
    {{- else }}
    value: {{ $value | quote }}
    {{- end }}
  {{- end }}
{{- end }}
