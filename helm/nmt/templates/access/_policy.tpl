{{/*
Parts of the ValidatingAdmissionPolicies. What they allow is computed from the templates of the release
itself, so that it follows every value. A field that they do not know is refused.
*/}}

{{/* A value as a literal of CEL, in which the elements of a list or a map may have any type. */}}
{{- define "nmt.cel" -}}
{{- $parts := list }}
{{- if kindIs "map" . }}
  {{- range $key := keys . | sortAlpha }}
    {{- $parts = append $parts (printf "%s: dyn(%s)" (toJson $key) (include "nmt.cel" (index $ $key))) }}
  {{- end }}
  {{- printf "{%s}" (join ", " $parts) }}
{{- else if kindIs "slice" . }}
  {{- range . }}
    {{- $parts = append $parts (printf "dyn(%s)" (include "nmt.cel" .)) }}
  {{- end }}
  {{- printf "[%s]" (join ", " $parts) }}
{{- else }}
  {{- toJson . }}
{{- end }}
{{- end }}

{{/* Metadata of a policy or its binding: root, suffix. */}}
{{- define "nmt.policyMetadata" -}}
name: {{ include "nmt.clusterWideName" . }}
labels:
  {{- include "nmt.labels" (dict "root" .root "component" "policy") | nindent 2 }}
{{- end }}

{{/* Name of the policy that binds the Pods of users' jobs, empty without policies. */}}
{{- define "nmt.podPolicy" -}}
{{- if .Values.rbac.admissionPolicy }}
{{- include "nmt.clusterWideName" (dict "root" . "suffix" "pods") }}
{{- end }}
{{- end }}

{{/* The binding of a policy to the namespace of the release: root, suffix. */}}
{{- define "nmt.policyBinding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  {{- include "nmt.policyMetadata" . | nindent 2 }}
spec:
  policyName: {{ include "nmt.clusterWideName" . }}
  validationActions: [Deny]
  matchResources:
    matchPolicy: Equivalent
    objectSelector: {}
    namespaceSelector:
      matchLabels:
        kubernetes.io/metadata.name: {{ .root.Release.Namespace | quote }}
{{- end }}

{{/*
Whom a policy binds: those who may submit jobs of this release by its Role (see rbac.yaml), but not those who
may create Pods, for whom a job opens no door: administrators, and KubeRay, which makes Pods and Jobs of
RayJobs. Who may submit for another release of the namespace, too, is bound by that one's policy there.
*/}}
{{- define "nmt.policyUsers" -}}
{{- $namespace := toJson .Release.Namespace }}
{{- $releases := printf "authorizer.group('nmt').resource('releases').namespace(%s)" $namespace }}
- name: submits-jobs-of-this-release
  expression: >-
    {{ $releases }}.name({{ toJson .Release.Name }}).check('submit').allowed()
- name: may-not-create-pods
  expression: >-
    !authorizer.group('').resource('pods').namespace({{ $namespace }}).check('create').allowed()
- name: is-not-of-another-release
  expression: >-
    [request.operation == 'DELETE' ? dyn(oldObject) : dyn(object)].all(it,
    !has(it.metadata.labels) || !('app.kubernetes.io/instance' in it.metadata.labels) ||
    it.metadata.labels['app.kubernetes.io/instance'] == {{ toJson .Release.Name }} ||
    it.metadata.labels['app.kubernetes.io/instance'] == '' ||
    !{{ $releases }}.name(it.metadata.labels['app.kubernetes.io/instance']).check('submit').allowed())
{{- end }}

{{/* Whether KubeRay, whose numbers have 32 bits, cannot read a value: its name in CEL. */}}
{{- define "nmt.unreadable" -}}
((type({{ . }}) == int || type({{ . }}) == double) && ({{ . }} > 2147483647 || {{ . }} < -2147483648))
{{- end }}

{{/* Fields of a Pod's spec that a job may choose, or that have a rule of their own. */}}
{{- define "nmt.freePodFields" -}}
{{- list "containers" "initContainers" "volumes" "priorityClassName" "restartPolicy" "activeDeadlineSeconds"
      "terminationGracePeriodSeconds" | toJson }}
{{- end }}

{{/*
What Pods of a kind of object may have, as JSON: templates (their Pod templates in this release), classes
(PriorityClasses). Each list has what any of the templates has.
*/}}
{{- define "nmt.allowedPods" -}}
{{- $free := include "nmt.freePodFields" . | printf "{\"all\": %s}" | fromJson }}
{{- $own := dict "templates" list "volumes" list "env" list "envFrom" list "security" list "classes" .classes }}
{{- range $template := .templates }}
  {{- $spec := $template.spec }}
  {{- $fixed := dict }}
  {{- range $key, $value := $spec }}
    {{- if not (has $key $free.all) }}{{- $_ := set $fixed $key $value }}{{- end }}
  {{- end }}
  {{- $metadata := $template.metadata | default dict }}
  {{- $known := dict "spec" $fixed }}
  {{- range $part := list "labels" "annotations" }}
    {{- $_ := set $known $part (index $metadata $part | default dict) }}
  {{- end }}
  {{- $_ := set $own "templates" (append $own.templates $known | uniq) }}
  {{- with $spec.priorityClassName }}
    {{- $_ := set $own "classes" (append $own.classes . | uniq) }}
  {{- end }}
  {{- range $volume := $spec.volumes }}
    {{- if not (hasKey $volume "emptyDir") }}
      {{- $_ := set $own "volumes" (append $own.volumes $volume | uniq) }}
    {{- end }}
  {{- end }}
  {{- range $container := concat $spec.containers ($spec.initContainers | default list) }}
    {{- $_ := set $own "security" (append $own.security ($container.securityContext | default dict) | uniq) }}
    {{- range $entry := $container.env }}
      {{- if hasKey $entry "valueFrom" }}
        {{- $_ := set $own "env" (append $own.env $entry | uniq) }}
      {{- end }}
    {{- end }}
    {{- $_ := set $own "envFrom" (concat $own.envFrom ($container.envFrom | default list) | uniq) }}
  {{- end }}
{{- end }}
{{- if not $own.classes }}
  {{- $_ := set $own "classes" (list "") }}
{{- end }}
{{- toJson $own }}
{{- end }}

{{/* What RayJobs and Jobs of users may have, by kind, as JSON. */}}
{{- define "nmt.allowed" -}}
{{- $release := include "nmt.release" . | fromJson }}
{{- $ray := list $release.rayCluster.headGroupSpec.template $release.submitter }}
{{- range $name := keys $release.workerGroups | sortAlpha }}
  {{- $ray = append $ray (index $release.workerGroups $name).template }}
{{- end }}
{{- $classes := list }}
{{- range $class := list "train" "tune" }}
  {{- with index $release.priorityClasses $class }}{{- $classes = append $classes . | uniq }}{{- end }}
{{- end }}
{{- $clusters := list }}
{{- with $release.cluster }}{{- $clusters = list (dict "ray.io/cluster" .) }}{{- end }}
{{- $rayJob := include "nmt.allowedPods" (dict "templates" $ray "classes" $classes) | fromJson }}
{{- $_ := set $rayJob "clusters" $clusters }}
{{- $_ := set $rayJob "authOptions" ($release.rayCluster.authOptions | default dict) }}
{{- $job := include "nmt.allowedPods" (dict "templates" (list $release.storagePod) "classes" list) | fromJson }}
{{- dict "RayJob" $rayJob "Job" $job | toJson }}
{{- end }}
