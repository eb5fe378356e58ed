"""spBLEU: BLEU of the tokens of FLORES-200's SentencePiece model, alike for all languages.

Source: Goyal et al. 2022, https://aclanthology.org/2022.tacl-1.30
"""

from collections.abc import Sequence
from pathlib import Path

from sacrebleu import utils

from nmt.metrics.bleu_tokenizer import load_tokenizer
from nmt.metrics.segment_statistics import SegmentStatistics, bleu_statistics
from nmt.metrics.texts import Streams

_URL = "https://tinyurl.com/flores200sacrebleuspm"


def spbleu_statistics(hypotheses: Sequence[str], references: Streams) -> SegmentStatistics | str:
    """Count what spBLEU needs of each sentence, or say why it cannot be computed.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    model = Path(utils.SACREBLEU_DIR) / "models" / "flores200sacrebleuspm"
    if not model.is_file():
        # sacreBLEU would download it, which fails or hangs where there is no internet.
        return (
            f"its tokenizer is not at {model}: put the file of {_URL} there, or set the "
            "environment variable SACREBLEU to a folder that has it as models/flores200sacrebleuspm"
        )
    try:
        tokenizer = load_tokenizer("flores200")
    except (OSError, RuntimeError, ImportError) as error:
        return f"its tokenizer {model} cannot be read ({error}): replace the file"
    return bleu_statistics("spbleu", hypotheses, references, tokenizer)
