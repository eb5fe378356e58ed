"""English and Tamil pairs of which no two are alike."""

import random

from nmt.text.pair import Pair

ENGLISH = (
    "river market teacher window garden morning village letter bridge kitchen doctor forest "
    "winter station picture island evening holiday mountain library farmer engine silver summer "
    "blanket candle harbour meadow soldier pocket"
)
TAMIL = (
    "ஆறு சந்தை ஆசிரியர் ஜன்னல் தோட்டம் காலை கிராமம் கடிதம் பாலம் சமையலறை மருத்துவர் காடு "
    "குளிர்காலம் நிலையம் படம் தீவு மாலை விடுமுறை மலை நூலகம் விவசாயி இயந்திரம் வெள்ளி கோடை "
    "போர்வை மெழுகுவர்த்தி துறைமுகம் புல்வெளி வீரர் பை"
)


def distinct_pairs(count: int) -> list[Pair]:
    """Make pairs of six random words each."""
    chosen = random.Random(7)
    english, tamil = ENGLISH.split(), TAMIL.split()
    rows = [[chosen.randrange(len(english)) for _ in range(6)] for _ in range(count)]
    return [
        Pair(
            " ".join(english[word] for word in row).capitalize() + ".",
            " ".join(tamil[word] for word in row) + ".",
        )
        for row in rows
    ]
