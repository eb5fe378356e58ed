"""Position ids for decoder-only models with a learnt prompt and left-padded batches."""

from typing import Any

from peft import PeftModel, PeftModelForCausalLM, PeftType


def count_unmasked_positions(model: PeftModel) -> None:
    """Make generation with a learnt prompt count positions without padding."""
    # When PEFT adds a prompt it drops the positions that transformers derives from the attention
    # mask. Padding would then count, and a translation would depend on the rest of its batch.
    if not isinstance(model, PeftModelForCausalLM):
        return
    if model.active_peft_config.peft_type != PeftType.PROMPT_TUNING:
        return
    prepare = model.prepare_inputs_for_generation

    def prepare_with_positions(*args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        inputs = prepare(*args, **kwargs)
        mask_BT = inputs.get("attention_mask")
        if "position_ids" in inputs and mask_BT is not None:  # BLOOM uses the mask instead
            given = inputs["inputs_embeds"] if inputs["input_ids"] is None else inputs["input_ids"]
            positions_BT = (mask_BT.long().cumsum(-1) - 1).clamp(min=0)
            inputs["position_ids"] = positions_BT[:, -given.shape[1] :]
        return inputs

    model.prepare_inputs_for_generation = prepare_with_positions
