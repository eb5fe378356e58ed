import json
import shlex
from dataclasses import replace

import pytest

from nmt.planning.gpus import GPUS
from nmt.planning.memory import memory_parts
from nmt.planning.plan import make_plan, max_rows
from nmt.planning.shapes import training_shape
from nmt.planning.speed import body_flops, step_time
from nmt.planning.table import render
from nmt.training.strategies.zero import BUCKET_PARAMETERS, LIVE_PARAMETERS
from ray_jobs.cli import main

FULL = ("adapter.type=none", "plan.gpu=l4")


@pytest.fixture(scope="module")
def lora_600m(settings):
    """Shape of the 600M model with LoRA, and its settings."""
    config = settings("600M")
    return config, training_shape(config, mixed=True)


@pytest.fixture(scope="module")
def full_3b(settings):
    config = settings("3.3B", *FULL)
    return config, training_shape(config, mixed=True)


@pytest.fixture(scope="module")
def fitting(settings):
    """Plan of LoRA on the 600M model."""
    return make_plan(settings("600M", "plan.gpu=l4"))


@pytest.fixture(scope="module")
def too_large(settings):
    """Plan of the 3.3B model with all weights trained."""
    return make_plan(settings("3.3B", *FULL))


def zero(config, stage, workers, *, offload=False):
    return config.with_overrides(
        {
            "strategy.type": "deepspeed",
            "strategy.zero_stage": stage,
            "strategy.offload": offload,
            "scaling.workers": workers,
        }
    )


# What is counted


def test_shared_embeddings_count_once_and_lora_counts_its_matrices(lora_600m):
    _, shape = lora_600m
    assert shape.frozen_parameters == pytest.approx(615.07e6, rel=1e-4)
    assert shape.trained_parameters == pytest.approx(8.65e6, rel=1e-3)


def test_adamw_takes_16_bytes_per_trained_parameter(full_3b):
    config, shape = full_3b
    parts = memory_parts(config, shape, 1, GPUS["l4"])
    held = parts.weights + parts.gradients + parts.optimizer
    assert held * 2**30 == pytest.approx(16 * shape.trained_parameters)


def test_each_stage_of_zero_partitions_one_part_more(full_3b):
    config, shape = full_3b
    parts = [memory_parts(zero(config, s, 4), shape, 1, GPUS["l4"]) for s in range(4)]
    each, bucket = 4 * shape.trained_parameters / 2**30, 4 * BUCKET_PARAMETERS / 2**30
    # from stage 1 on, beside the moments, a copy of the weights that is updated
    optimizer = [2 * each, 3 * each / 4, 3 * each / 4, 3 * each / 4]
    gradients = [each, each + bucket, each / 4 + bucket, each / 4 + bucket]
    assert [part.optimizer for part in parts] == pytest.approx(optimizer)
    assert [part.gradients for part in parts] == pytest.approx(gradients)
    assert parts[0].weights == parts[1].weights == parts[2].weights


def test_stage_3_holds_a_worker_s_part_of_the_weights_and_what_is_in_use(full_3b):
    config, shape = full_3b
    whole, parted = (
        memory_parts(zero(config, stage, 4), shape, 1, GPUS["l4"]).weights for stage in (2, 3)
    )
    in_use = 2 * shape.largest_layer_parameters + LIVE_PARAMETERS
    assert parted == pytest.approx(whole / 4 + 4 * in_use / 2**30)


def test_stage_3_holds_all_weights_at_once_however_many_the_workers(full_3b):
    """To validate and to write a checkpoint; in a step of few rows there is less."""
    config, shape = full_3b
    parts = memory_parts(zero(config, 3, 64), shape, 1, GPUS["l4"])
    assert parts.gathered_weights > 0
    assert parts.tensors > 4 * shape.parameters / 2**30


def test_weights_in_4_bits_stay_for_the_backward_pass_unless_it_makes_them_again(settings):
    config = zero(settings("3.3B", "adapter.type=qlora"), 3, 8)
    shape = training_shape(config, mixed=True)
    recomputed = config.with_overrides({"training.gradient_checkpointing": True})
    kept, let_go = (memory_parts(c, shape, 8, GPUS["l4"]).weights for c in (config, recomputed))
    assert kept - let_go == pytest.approx(shape.quantizable_parameters / 2 / 2**30)


def test_offload_takes_the_moments_off_the_gpu(full_3b):
    config, shape = full_3b
    assert memory_parts(zero(config, 2, 2, offload=True), shape, 1, GPUS["l4"]).optimizer == 0


def test_qlora_holds_the_600m_model_in_what_was_measured(settings):
    """0.66 GiB: NF4 with double quantization, the rest in bf16."""
    config = settings("600M", "adapter.type=qlora")
    shape = training_shape(config, mixed=True)
    parts = memory_parts(config, shape, 1, GPUS["l4"])
    base = parts.weights - 4 * shape.trained_parameters / 2**30 + parts.quantization_constants
    assert base == pytest.approx(0.66, abs=0.01)


def test_double_quantization_makes_the_constants_four_times_smaller(settings):
    one, two = (
        settings("600M", "adapter.type=qlora", f"adapter.double_quantization={double}")
        for double in ("false", "true")
    )
    shape = training_shape(one, mixed=True)
    single, double = (
        memory_parts(c, shape, 1, GPUS["l4"]).quantization_constants for c in (one, two)
    )
    assert single / double == pytest.approx(4, rel=0.02)


# What fits


@pytest.mark.parametrize("name", ["lora_600m", "full_3b"])
def test_a_larger_memory_never_fits_fewer_tokens(request, name):
    config, shape = request.getfixturevalue(name)
    gpu = GPUS["a100-80gb"]
    fitting = [max_rows(config, shape, replace(gpu, memory_gib=g)) for g in range(2, 120, 2)]
    assert fitting == sorted(fitting)
    assert fitting[0] == 0 < fitting[-1]


def test_the_largest_budget_fits_and_one_row_more_does_not(lora_600m):
    config, shape = lora_600m
    gpu = GPUS["l4"]
    most = max_rows(config, shape, gpu)
    below, above = (memory_parts(config, shape, most + more, gpu).total for more in (0, 1))
    assert below <= gpu.memory_gib < above


def test_full_fine_tuning_of_3b_on_24_gib_is_told_to_partition_the_weights(too_large):
    assert not too_large.fits
    assert too_large.changes["strategy.zero_stage"] == 3
    assert "strategy.zero_stage=3" in render(too_large).splitlines()[-1]


def test_what_is_advised_fits(settings, too_large):
    assert make_plan(settings("3.3B", *FULL).with_overrides(too_large.changes)).fits


def test_lora_on_600m_fits_24_gib_as_it_is(fitting):
    assert fitting.fits
    assert not fitting.changes


def test_a_budget_that_is_too_large_is_told_the_largest_that_fits(settings):
    plan = make_plan(settings("600M", "plan.gpu=l4", "training.micro_batch_tokens=200000"))
    assert plan.changes == {"training.micro_batch_tokens": plan.largest_micro_batch_tokens}


def test_a_lora_whose_base_is_too_large_is_told_to_quantize_it(settings):
    plan = make_plan(settings("3.3B", "plan.gpu=t4"))
    assert plan.changes["adapter.type"] == "qlora"


def test_a_lora_told_to_quantize_its_base_keeps_its_own_settings(settings):
    layers = '["q_proj", "k_proj", "v_proj", "out_proj", "fc1"]'
    words = ("adapter.rank=24", f"adapter.target_modules={layers}")
    plan = make_plan(settings("3.3B", "plan.gpu=t4", *words))
    assert plan.changes["adapter.rank"] == 24
    command = shlex.split(render(plan).splitlines()[-1])
    assert {"adapter.type=qlora", *words} <= set(command)


def test_a_worker_with_a_part_of_a_gpu_gets_a_whole_one_with_others(settings):
    plan = make_plan(settings("3.3B", *FULL, "scaling.gpus_per_worker=0.5"))
    assert plan.changes["scaling.gpus_per_worker"] == 1


# Time and cost


def test_a_frozen_base_saves_the_gradients_of_its_weights(lora_600m, settings):
    _, lora = lora_600m
    full = training_shape(settings("600M", "adapter.type=none"), mixed=True)
    assert body_flops(lora, 8) / body_flops(full, 8) == pytest.approx(2 / 3, rel=0.05)


def test_one_worker_waits_for_no_network_and_zero_3_waits_longest(full_3b):
    config, shape = full_3b
    gpu = GPUS["l4"]
    seconds = [
        step_time(c, shape, 1, gpu, mixed=True).communication_seconds
        for c in (config, zero(config, 2, 4), zero(config, 3, 4))
    ]
    assert seconds[0] == 0 < seconds[1] < seconds[2]


def test_workers_that_share_a_micro_batch_take_a_part_of_its_time_and_memory(settings):
    alone, eight = (
        make_plan(settings("600M", "training.micro_batch_tokens=8192", *words))
        for words in ((), ("strategy.type=ddp", "scaling.workers=8"))
    )
    assert eight.step.compute_seconds == pytest.approx(alone.step.compute_seconds / 8)
    assert eight.memory.activations < alone.memory.activations / 4


def test_workers_with_a_micro_batch_each_work_side_by_side(settings):
    words = ("strategy.type=ddp", "training.micro_batches_per_step=4", "scaling.workers=4")
    alone, four = make_plan(settings("600M")), make_plan(settings("600M", *words))
    assert four.step.compute_seconds == pytest.approx(alone.step.compute_seconds)
    assert four.memory.activations == alone.memory.activations


def test_zero_3_sends_what_is_trained_in_fp32(full_3b):
    config, shape = full_3b
    gpu, link = GPUS["l4"], 1e9 * config.plan.link_gigabits_per_second / 8
    seconds = step_time(zero(config, 3, 2), shape, 2, gpu, mixed=True).communication_seconds
    # gradients to the others and back, and all weights for the forward and the backward pass
    assert seconds == pytest.approx(4 * shape.parameters * (2 + 2) / 2 / link)


@pytest.mark.parametrize("adapter", ["initialization=pissa", "decomposed=true"])
def test_any_start_of_lora_can_be_planned(settings, adapter):
    assert make_plan(settings("600M", f"adapter.{adapter}")).fits


def test_a_gpu_without_bf16_is_reckoned_in_fp32(settings):
    assert make_plan(settings("600M", "plan.gpu=t4")).precision == "fp32"


def test_without_a_price_the_cost_is_in_gpu_hours(fitting):
    assert fitting.as_json()["cost"] is None
    assert "GPU-hours" in render(fitting)


def test_a_price_turns_hours_into_a_cost(fitting):
    priced = replace(fitting, price_per_hour=2)
    assert priced.as_json()["cost"] == pytest.approx(2 * fitting.gpu_hours)


# The command


def test_the_command_ends_with_0_when_it_fits(capsys):
    assert main.main(["plan", "model.name_or_path=tiny"]) == 0
    assert "It fits" in capsys.readouterr().out


def test_the_command_ends_with_1_when_it_does_not_fit(capsys, folders):
    words = [f"model.name_or_path={folders['3.3B']}", *FULL]
    assert main.main(["plan", "--json", *words]) == 1
    assert json.loads(capsys.readouterr().out)["fits"] is False


@pytest.mark.parametrize("word", ["plan.gpu=tpu", "model.name_or_path=/no/such/folder"])
def test_the_command_ends_with_2_for_bad_input(word):
    assert main.main(["plan", word]) == 2
