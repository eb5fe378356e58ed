{{/* The Pod of the operator. */}}

{{/* Whether more than one Pod of the operator runs, or empty. */}}
{{- define "nmt.operatorIsShared" -}}
{{- if gt (int .Values.operator.replicas) 1 }}true{{ end }}
{{- end }}

{{/*
Placement of the operator, as JSON: its Pods go to different nodes if they can. A ReadWriteOnce volume is mounted
on one node alone, where they have to be together.
*/}}
{{- define "nmt.operatorPlacement" -}}
{{- $operator := deepCopy .Values.operator }}
{{- $isOnOneNode := and (eq .Values.storage.type "claim") (eq .Values.storage.claim.accessMode "ReadWriteOnce") }}
{{- if not (or $operator.affinity $isOnOneNode) }}
  {{- $labels := include "nmt.selector" (dict "root" . "component" "operator") | fromYaml }}
  {{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" $labels) }}
  {{- $preferred := list (dict "weight" 100 "podAffinityTerm" $term) }}
  {{- $_ := set $operator "affinity" (dict "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" $preferred)) }}
{{- end }}
{{- toJson $operator }}
{{- end }}

{{/* Its Pod template. */}}
{{- define "nmt.operatorPod" -}}
{{- $operator := .Values.operator }}
{{- $placement := include "nmt.operatorPlacement" . | fromJson }}
metadata:
  {{- include "nmt.podMetadata" (dict "root" . "component" "operator") | nindent 2 }}
spec:
  {{- $spec := dict "root" . "account" "operator" "storage" true "placement" $placement "priority" $operator.priorityClassName }}
  {{- /* It hands over its Lease when it is told to end. */}}
  {{- include "nmt.podSpec" (merge (dict "token" true "grace" 30) $spec) | nindent 2 }}
  containers:
    - name: operator
      {{- include "nmt.container" (dict "root" . "image" .Values.toolsImage "storage" true) | nindent 6 }}
      command:
        - python
        - -m
        - k8s.operator
      args:
        - --release
        - {{ include "nmt.fullname" . }}
        - --port
        - "8080"
      {{- include "nmt.storageEnv" (dict "root" . "env" .Values.env) | nindent 6 }}
      ports:
        - name: metrics
          containerPort: 8080
          protocol: TCP
      livenessProbe:
        httpGet:
          path: /healthz
          port: metrics
        periodSeconds: 20
        timeoutSeconds: 5
        failureThreshold: 6
      # A Pod that waits for the Lease is ready: it takes over at once.
      readinessProbe:
        tcpSocket:
          port: metrics
        periodSeconds: 5
        timeoutSeconds: 5
      resources:
        requests:
          cpu: {{ $operator.cpuRequest }}
          memory: {{ $operator.memoryRequest | default $operator.memory }}
          ephemeral-storage: 64Mi
        limits:
          memory: {{ $operator.memory }}
          ephemeral-storage: {{ include "nmt.smallDisk" . }}
{{- end }}
