"""A mixture of experts whose every expert is asked, for every token that has a place with it."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.nllb_moe.modeling_nllb_moe import NllbMoeExperts, NllbMoeTop2Router
from typing_extensions import override


class AllExpertsNllbMoe(NllbMoeExperts):
    """NLLB-MoE's experts, each for the tokens that the router gives it.

    transformers 5 takes the router's mask of zeros and ones for the numbers of the experts, and
    so asks the first two of them alone.
    """

    @override
    def forward(self, hidden_states: Tensor, router_mask: Tensor, router_probs: Tensor) -> Tensor:
        """The experts' answers, added up by the router's weights (tokens, experts)."""
        answers = torch.zeros_like(hidden_states)
        # An expert without a token is asked too: DDP waits for a gradient of every parameter.
        for number in range(self.num_experts):
            expert = self[f"expert_{number}"]
            tokens = _tokens_of(router_probs[:, number], self.num_experts)
            answer = expert(hidden_states[tokens]) * router_probs[tokens, number, None]
            answers.index_add_(0, tokens, self._dropped(answer).to(answers.dtype))
        return answers

    def _dropped(self, answer: Tensor) -> Tensor:
        if self.training:
            return self.token_dropout(answer)
        return answer * (1 - self.moe_token_dropout)


class StableCapacityRouter(NllbMoeTop2Router):
    """NLLB-MoE's router, whose experts have as many places before a translation as after it.

    transformers' own keeps the number of the last batch it translated, mostly the few tokens of
    one decoding step, and gives no more of them to any expert in all training steps that follow.
    """

    @override
    def route_tokens(
        self,
        router_logits: Tensor,
        input_dtype: torch.dtype = torch.float32,
        padding_mask: Any = None,
    ) -> tuple[Tensor, Tensor]:
        """Which expert is first for each token, and the weights of all (tokens, experts)."""
        places = self.expert_capacity
        if padding_mask is not None and padding_mask.dim() == 4:
            # Of each row's last position; before them may stand those of a prefix.
            tokens = len(router_logits) // len(padding_mask)
            padding_mask = padding_mask[:, 0, -1, -tokens:].reshape(-1)
        try:
            return super().route_tokens(router_logits, input_dtype, padding_mask)
        finally:
            self.expert_capacity = places


def _tokens_of(weights_N: Tensor, experts: int) -> Tensor:
    """Indices of an expert's tokens; on the meta device, which has no data, an even share."""
    if weights_N.is_meta:
        return weights_N.new_empty(-(-2 * len(weights_N) // experts), dtype=torch.long)
    return weights_N.nonzero().flatten()


def patch_nllb_moe(model: nn.Module) -> None:
    """Put both in the place of transformers' own, the weights left as they are."""
    for module in model.modules():
        if type(module) is NllbMoeExperts:
            module.__class__ = AllExpertsNllbMoe
        elif type(module) is NllbMoeTop2Router:
            module.__class__ = StableCapacityRouter
