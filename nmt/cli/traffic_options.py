"""The options of `promote`, `rollback` and `traffic`, in a terminal and as a job on Kubernetes."""

import argparse
from dataclasses import dataclass, fields

TRAFFIC = "traffic"
"""Name of the command."""
TRAFFIC_ABOUT = "show what the endpoint serves, the state of its replicas, and a running rollout"
_FORCE = (
    "promote an engine that the gate has not accepted or that is worse than its base, and record "
    "this reason with it"
)


@dataclass(frozen=True, slots=True)
class PromotionOptions:
    """How a run's engine gets its traffic."""

    force: str | None = None
    """Reason to let an engine answer that is worse than its base."""
    canary: int | None = None
    """Share of the clients in percent that the engine answers, beside the stable one."""
    shadow: bool = False
    """Whether the engine only translates along."""
    shadow_percent: float | None = None
    """Share of the sessions in percent that both engines translate; None: 5, or as it was."""
    domain: str | None = None
    """Name of the domain that the engine is for."""

    def words(self) -> list[str]:
        """Write the options as words of a command line."""
        # Name and value in one word, so that a reason that begins with a dash is not an option.
        words = [f"--force={self.force}"] if self.force is not None else []
        words += [f"--canary={self.canary}"] if self.canary is not None else []
        words += ["--shadow"] if self.shadow else []
        if self.shadow_percent is not None:
            words.append(f"--shadow-percent={self.shadow_percent}")
        return [*words, *([f"--domain={self.domain}"] if self.domain is not None else [])]


def add_promotion_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `PromotionOptions`."""
    parser.add_argument("--force", metavar="REASON", help=_FORCE)
    share = parser.add_mutually_exclusive_group()
    share.add_argument(
        "--canary",
        type=int,
        metavar="PERCENT",
        help="let the engine answer this share of the clients, and the stable one the others",
    )
    share.add_argument(
        "--shadow",
        action="store_true",
        help="let the engine translate some requests too, and answer none",
    )
    parser.add_argument(
        "--shadow-percent",
        type=float,
        metavar="PERCENT",
        help="share of the sessions that the stable engine and the canary or shadow both translate "
        "(default: 5)",
    )
    parser.add_argument(
        "--domain", metavar="NAME", help="serve the engine only to requests that name this domain"
    )


def promotion_options(options: argparse.Namespace) -> PromotionOptions:
    """Read the options of a parsed command line."""
    given = {field.name: getattr(options, field.name) for field in fields(PromotionOptions)}
    return PromotionOptions(**given)


def add_rollback_options(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a route."""
    about = "language pair to roll back, such as eng_Latn-tam_Taml (default: the first promoted)"
    parser.add_argument("--route", metavar="KEY", help=about)


def add_traffic_options(parser: argparse.ArgumentParser) -> None:
    """Add the option that removes a route."""
    about = "stop serving this language pair, or this domain of it"
    parser.add_argument("--remove", metavar="KEY", help=about)
