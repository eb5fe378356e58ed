"""A mixture of experts whose every expert is asked."""

import torch
from torch import Tensor, nn
from transformers.models.nllb_moe.modeling_nllb_moe import NllbMoeExperts
from typing_extensions import override


class EveryExpert(NllbMoeExperts):
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


def _tokens_of(weights_N: Tensor, experts: int) -> Tensor:
    """Indices of an expert's tokens; on the meta device, which has no data, an even share."""
    if weights_N.is_meta:
        return weights_N.new_empty(-(-2 * len(weights_N) // experts), dtype=torch.long)
    return weights_N.nonzero().flatten()


def ask_every_expert(model: nn.Module) -> None:
    """Put that in the place of transformers' own, the weights left as they are."""
    for module in model.modules():
        if type(module) is NllbMoeExperts:
            module.__class__ = EveryExpert
