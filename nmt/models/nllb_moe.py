"""NLLB-MoE fixes for transformers 5.

Tokens reach the experts they were routed to, every expert is called so that DDP sees all
gradients, and the capacity of the experts does not depend on earlier calls.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.nllb_moe.modeling_nllb_moe import NllbMoeExperts, NllbMoeTop2Router
from typing_extensions import override


class AllExpertsNllbMoe(NllbMoeExperts):
    """NLLB-MoE's experts, each called with the tokens that the router assigned to it."""

    # transformers 5 reads the router's 0/1 mask as expert numbers and calls only experts 0 and 1.

    @override
    def forward(self, hidden_states: Tensor, router_mask: Tensor, router_probs: Tensor) -> Tensor:
        """Sum the experts' outputs, weighted by `router_probs` (tokens, experts)."""
        outputs = torch.zeros_like(hidden_states)
        # Experts without tokens are called too: DDP waits for a gradient of every parameter.
        for number in range(self.num_experts):
            expert = self[f"expert_{number}"]
            tokens = _assigned_tokens(router_probs[:, number], self.num_experts)
            output = expert(hidden_states[tokens]) * router_probs[tokens, number, None]
            if self.training:
                output = self.token_dropout(output)
            else:
                # Kept from transformers, although `nn.Dropout` has rescaled in training already.
                output = output * (1 - self.moe_token_dropout)
            outputs.index_add_(0, tokens, output.to(outputs.dtype))
        return outputs


class StableCapacityRouter(NllbMoeTop2Router):
    """NLLB-MoE's router with the same expert capacity before and after a translation."""

    @override
    def route_tokens(
        self,
        router_logits: Tensor,
        input_dtype: torch.dtype = torch.float32,
        padding_mask: Any = None,
    ) -> tuple[Tensor, Tensor]:
        """Return each token's first expert, and the weights of all experts (tokens, experts)."""
        capacity = self.expert_capacity
        if padding_mask is not None and padding_mask.dim() == 4:
            # An attention mask. The last query position sees every key; the keys of a learnt
            # prefix come first and are cut off.
            tokens = len(router_logits) // len(padding_mask)
            padding_mask = padding_mask[:, 0, -1, -tokens:].reshape(-1)
        try:
            return super().route_tokens(router_logits, input_dtype, padding_mask)
        finally:
            # The original keeps the size of the last batch as its capacity. After one decoding
            # step of a few tokens, later training steps would drop almost every token.
            self.expert_capacity = capacity


def _assigned_tokens(weights_N: Tensor, experts: int) -> Tensor:
    """Find the indices of an expert's tokens."""
    if weights_N.is_meta:
        # The meta device has no values, so an even share is assumed: two experts per token.
        return weights_N.new_empty(-(-2 * len(weights_N) // experts), dtype=torch.long)
    return weights_N.nonzero().flatten()


def patch_nllb_moe(model: nn.Module) -> None:
    """Replace transformers' experts and routers in place, keeping their weights."""
    for module in model.modules():
        # Changing the class keeps parameters, hooks and names, so checkpoints still match.
        if type(module) is NllbMoeExperts:
            module.__class__ = AllExpertsNllbMoe
        elif type(module) is NllbMoeTop2Router:
            module.__class__ = StableCapacityRouter
