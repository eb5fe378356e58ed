{{/*
Checks of `config`: the rules of `nmt.config` that involve several keys, or that a JSON schema cannot
express. A test checks that `Config` refuses the same values. See `nmt.checks`.
*/}}
{{- define "nmt.checkConfig" -}}
{{- $config := include "nmt.config" . | fromJson }}
{{- include "nmt.checkData" (dict "root" . "data" $config.data) }}
{{- $tune := $config.tune }}
{{- with (default dict (default dict .Values.config).tune).space }}
  {{- /* A space that is given replaces the default one, while the overlay merges them. */}}
  {{- $tune = set $tune "space" . }}
{{- end }}
{{- include "nmt.checkSearch" $tune }}
{{- include "nmt.checkEvaluation" (dict "root" . "evaluation" $config.evaluation) }}
{{- if has $config.run (list "campaigns" "engines" "gates" "serving" "mlruns" "mlflow.db" "provenance") }}
config.run is '{{ $config.run }}', which is a folder of the storage root: choose another name
{{- end }}
{{- range $key, $value := dict "provenance.private_key" $config.provenance.private_key "serving.public_key" $config.serving.public_key }}
{{- if contains "PRIVATE KEY-----" (toString (default "" $value)) }}
config.{{ $key }} is the text of a private key, which would appear in logs: give the path of its file
{{- end }}
{{- end }}
{{- if regexMatch "^[^:/]+://[^/?#]*@" (toString (default "" $config.tracking.mlflow_uri)) }}
config.tracking.mlflow_uri contains credentials, which would appear in logs and records: put them into MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD
{{- end }}
{{- if not (trim $config.model.name_or_path) }}
config.model.name_or_path is empty: give a hub name, a folder, or 'tiny'
{{- end }}
{{- if kindIs "slice" (get $config.adapter "target_modules") }}
  {{- if not $config.adapter.target_modules }}
config.adapter.target_modules is empty: name at least one linear layer
  {{- end }}
  {{- range list "shared" "embed_tokens" "lm_head" }}
    {{- if has . $config.adapter.target_modules }}
config.adapter.target_modules names '{{ . }}', which shares its matrix with others, and merging an update into it gives a wrong model: leave it out
    {{- end }}
  {{- end }}
{{- end }}
{{- if ge (int $config.training.warmup_steps) (int $config.training.max_steps) }}
config.training.warmup_steps ({{ int $config.training.warmup_steps }}) must be below config.training.max_steps ({{ int $config.training.max_steps }})
{{- end }}
{{- if gt (int $config.training.average_checkpoints) (int $config.training.keep_checkpoints) }}
config.training.average_checkpoints ({{ int $config.training.average_checkpoints }}) must not be above config.training.keep_checkpoints ({{ int $config.training.keep_checkpoints }}): older ones are deleted
{{- end }}
{{- $before := 0 }}
{{- range $config.rollout.steps }}
  {{- if le (int .) (int $before) }}
config.rollout.steps is {{ toJson $config.rollout.steps }}: each share must be larger than the one before
  {{- end }}
  {{- $before = . }}
{{- end }}
{{- if ne (int (last $config.rollout.steps)) 100 }}
config.rollout.steps is {{ toJson $config.rollout.steps }}: the last share must be 100
{{- end }}
{{- if and (eq $config.strategy.type "single") (gt (int $config.scaling.workers) 1) }}
config.scaling.workers ({{ int $config.scaling.workers }}) must be 1 with config.strategy.type=single: set config.strategy.type=ddp
{{- end }}
{{- $share := float64 $config.scaling.gpus_per_worker }}
{{- if and (gt (int $config.scaling.workers) 1) (gt $share 0.0) (lt $share 1.0) }}
config.scaling.gpus_per_worker ({{ $share }}) must be 0 or 1 with several workers ({{ int $config.scaling.workers }}): NCCL takes no two workers on one GPU
{{- end }}
{{- if and (get $config.strategy "offload") (eq (toString (get $config.strategy "zero_stage")) "0") }}
config.strategy.offload is true and config.strategy.zero_stage is 0: it needs zero_stage 1, 2 or 3, which partition the optimizer state
{{- end }}
{{- if gt (int $config.serving.min_replicas) (int $config.serving.max_replicas) }}
config.serving.min_replicas ({{ int $config.serving.min_replicas }}) must not be above config.serving.max_replicas ({{ int $config.serving.max_replicas }})
{{- end }}
{{- end }}

{{- define "nmt.checkData" -}}
{{- $root := .root }}
{{- with .data }}
{{- $source := include "nmt.language" (dict "root" $root "code" .source_language) }}
{{- $target := include "nmt.language" (dict "root" $root "code" .target_language) }}
{{- if not $source }}
config.data.source_language: '{{ .source_language }}' is not a FLORES-200 or ISO 639 code of a language in a script that NLLB has
{{- end }}
{{- if not $target }}
config.data.target_language: '{{ .target_language }}' is not a FLORES-200 or ISO 639 code of a language in a script that NLLB has
{{- end }}
{{- if and $source (eq $source $target) }}
config.data.source_language and config.data.target_language are both '{{ $source }}'
{{- end }}
{{- if ge (addf .validation_fraction .test_fraction) 1.0 }}
config.data.validation_fraction ({{ .validation_fraction }}) and config.data.test_fraction ({{ .test_fraction }}) leave nothing to train on: keep their sum below 1
{{- end }}
{{- if and .target_path (not .path) }}
config.data.target_path is '{{ .target_path }}' and config.data.path is not set: name the source file too
{{- end }}
{{- if and .path .corpora }}
config.data.path and config.data.corpora are both set: make the file of path one of the corpora
{{- end }}
{{- range $name, $corpus := .corpora }}
{{- if has $name (list "validation" "test") }}
config.data.corpora.{{ $name }} has the name of a split: give it another one
{{- end }}
{{- if and (ne $corpus.min_score nil) (not $corpus.score_column) }}
config.data.corpora.{{ $name }}.min_score is set but score_column is not: name the column
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "nmt.checkEvaluation" -}}
{{- $root := .root }}
{{- with .evaluation }}
{{- range $name, $set := .sets }}
{{- if has $name (list "test" "general" "validation") }}
config.evaluation.sets.{{ $name }} has the name of a run's own set: choose another
{{- end }}
{{- range $side := list "source_language" "target_language" }}
{{- $code := get $set $side }}
{{- if and $code (not (include "nmt.language" (dict "root" $root "code" $code))) }}
config.evaluation.sets.{{ $name }}.{{ $side }}: '{{ $code }}' is not a FLORES-200 or ISO 639 code of a language in a script that NLLB has
{{- end }}
{{- end }}
{{- if and (kindIs "slice" (get $set "target_path")) (kindIs "slice" (get $set "target_column")) }}
config.evaluation.sets.{{ $name }}: target_path and target_column are both lists: name the references by one of them
{{- end }}
{{- end }}
{{- $known := concat (keys .sets) (list "test" "general") | sortAlpha }}
{{- range $name, $system := .systems }}
{{- if has $name (list "base" "tuned" "engine" "stable" "memory" "few-shot" "retrieved") }}
config.evaluation.systems.{{ $name }} has the name of a run's own system: choose another
{{- end }}
{{- if hasPrefix "variant-" $name }}
config.evaluation.systems.{{ $name }} has the name of a variant: choose another
{{- end }}
{{- $given := list }}
{{- range $key := list "run" "engine" "endpoint" "hypotheses" }}
{{- if get $system $key }}{{- $given = append $given $key }}{{- end }}
{{- end }}
{{- if ne (len $given) 1 }}
config.evaluation.systems.{{ $name }}: {{ join " and " $given | default "none of them" }} is set: set one of run, engine, endpoint and hypotheses
{{- end }}
{{- range $set, $path := (get $system "hypotheses" | default dict) }}
{{- if not (has $set $known) }}
config.evaluation.systems.{{ $name }}.hypotheses names '{{ $set }}', which is not a test set: the test sets are {{ join ", " $known }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The FLORES-200 code of a language, as `nmt.languages.resolve_language` finds it; empty if unknown. */}}
{{- define "nmt.language" -}}
{{- $known := .root.Files.Get "files/languages.json" | fromJson }}
{{- $key := .code | trim | replace "-" "_" | lower }}
{{- $parts := splitList "_" $key }}
{{- $default := get $known (first $parts) }}
{{- if hasKey $known $key }}
  {{- get $known $key }}
{{- else if and $default (regexMatch "^[a-z]{2,3}(_([a-z]{2}|[0-9]{3}))?$" $key) }}
  {{- $default }}
{{- else if and $default (regexMatch "^[a-z]{2,3}_[a-z]{4}(_([a-z]{2}|[0-9]{3}))?$" $key) }}
  {{- get $known (printf "%s_%s" (first (splitList "_" $default)) (index $parts 1)) }}
{{- end }}
{{- end }}

{{- define "nmt.checkSearch" -}}
{{- if gt (int .grace_steps) (int .max_steps) }}
config.tune.grace_steps ({{ int .grace_steps }}) must not be above config.tune.max_steps ({{ int .max_steps }})
{{- end }}
{{- $methods := .methods }}
{{- if ne (len $methods) (len (uniq $methods)) }}
config.tune.methods names a method twice: {{ join ", " $methods }}
{{- end }}
{{- $spaces := dict "space" .space }}
{{- range $method, $space := .method_space }}
  {{- $spaces = set $spaces (printf "method_space.%s" $method) $space }}
  {{- if not (has $method $methods) }}
config.tune.method_space has {{ $method }}, which is not one of config.tune.methods: add it
  {{- end }}
{{- end }}
{{- if and (eq .scheduler "pbt") (not (hasKey .space "training.learning_rate")) }}
  {{- $lacks := not $methods }}
  {{- range $methods }}
    {{- $lacks = or $lacks (not (hasKey (default dict (get $.method_space .)) "training.learning_rate")) }}
  {{- end }}
  {{- if $lacks }}
config.tune.scheduler=pbt changes training.learning_rate, which is not in config.tune.space: add it
  {{- end }}
{{- end }}
{{- $sampler := .sampler }}
{{- range $name, $space := $spaces }}
  {{- range $key, $range := $space }}
    {{- if eq $key "adapter.type" }}
config.tune.{{ $name }} has adapter.type, which config.tune.methods searches
    {{- end }}
    {{- if hasKey $range "low" }}
      {{- if eq $sampler "grid" }}
config.tune.sampler=grid tries every combination, and config.tune.{{ $name }} '{{ $key }}' is a range: set choices
      {{- end }}
      {{- if ge (float64 $range.low) (float64 $range.high) }}
config.tune.{{ $name }} '{{ $key }}': low ({{ $range.low }}) must be below high ({{ $range.high }})
      {{- end }}
      {{- if and (eq $range.type "loguniform") (le (float64 $range.low) 0.0) }}
config.tune.{{ $name }} '{{ $key }}': low ({{ $range.low }}) must be above 0 on a logarithmic scale
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
