{{/*
All checks of the values, which are refused before anything is installed: what KubeRay, Ray or Kubernetes
would refuse later, and what can never work. A JSON schema checks each key by itself; the checks here
need more than one key, or a pattern with a better message. Each file of this folder holds the checks
against one thing: names and variables of Kubernetes and Ray, parts of Kubernetes' objects, the storage,
the Pods, the head of the endpoint, the rules of `nmt.config`, and the release that is installed already.
A check prints one line for each problem: key, value, rule, what to do.
*/}}
{{- define "nmt.checks" -}}
{{- $lines := list
      (include "nmt.checkNames" .) (include "nmt.checkFragments" .) (include "nmt.checkImages" .)
      (include "nmt.checkTemplates" .)
      (include "nmt.checkStorage" .) (include "nmt.checkRay" .) (include "nmt.checkPods" .)
      (include "nmt.checkGroups" .) (include "nmt.checkMemory" .) (include "nmt.checkConfig" .)
      (include "nmt.checkJobs" .) (include "nmt.checkServing" .) (include "nmt.checkEntrances" .) (include "nmt.checkHeadState" .)
      (include "nmt.checkPriorities" .) (include "nmt.checkClaim" .) (include "nmt.checkDefinition" .) | join "\n" }}
{{- $problems := list }}
{{- range splitList "\n" $lines }}
  {{- $problems = append $problems (trim .) }}
{{- end }}
{{- with compact $problems }}
  {{- fail (printf "values that cannot work:\n  %s\n" (join "\n  " .)) }}
{{- end }}
{{- end }}
