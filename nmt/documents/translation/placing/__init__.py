"""Places of inline codes in the translation of a sentence.

A translation does not say which of its words come from which of the source. The places are found
by what was copied, and by the own translation of the text of each pair of codes.
"""

from nmt.documents.translation.placing.codes import Placement, place_codes, texts_to_translate
from nmt.documents.translation.placing.tree import CodeAt

__all__ = ["CodeAt", "Placement", "place_codes", "texts_to_translate"]
