"""Positions of the tokens behind a learnt prompt, in rows that are filled up on the left.

PEFT drops the positions that transformers reckons from the attention mask when it puts a prompt
in front: then the filler counts, and a translation depends on what else is in its batch.
"""

from typing import Any

from peft import PeftModel, PeftModelForCausalLM, PeftType


def count_unmasked_positions(model: PeftModel) -> None:
    """Let the search of a decoder-only model with a prompt number the tokens, not the filler."""
    if not isinstance(model, PeftModelForCausalLM):
        return
    if model.active_peft_config.peft_type != PeftType.PROMPT_TUNING:
        return
    prepare = model.prepare_inputs_for_generation

    def prepare_with_positions(*args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        inputs = prepare(*args, **kwargs)
        mask_BT = inputs.get("attention_mask")
        if "position_ids" in inputs and mask_BT is not None:  # BLOOM reads the mask itself
            given = inputs["inputs_embeds"] if inputs["input_ids"] is None else inputs["input_ids"]
            positions_BT = (mask_BT.long().cumsum(-1) - 1).clamp(min=0)
            inputs["position_ids"] = positions_BT[:, -given.shape[1] :]
        return inputs

    model.prepare_inputs_for_generation = prepare_with_positions
