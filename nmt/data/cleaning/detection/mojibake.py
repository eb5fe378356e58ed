"""Text whose bytes were decoded with the wrong encoding, such as `cafÃ©` for `café`."""

import regex

# What the last bytes of a character in UTF-8 become in cp1252 and Latin-1: first the signs that
# hardly ever follow a letter, then the quotation marks and dashes that often do, and letters.
_SIGNS = r"\u0080-\u009f\u00ad¡¢£¤¥¦§¨©¬®¯°±²³´¶¸¹¼½¾¿€‚ƒ„†‡ˆ‰˜™"
_MARKS = r"\u00a0«»·…‘’“”•–—‹›"
_LETTERS = r"ªºµŠŒŽšœžŸ"
_TAIL = rf"[{_SIGNS}{_MARKS}{_LETTERS}]"

_CERTAIN = regex.compile(
    # Three or four bytes, of which not all are marks: `l'eau était là…»` is French.
    rf"[à-ï](?:[{_SIGNS}{_LETTERS}]{_TAIL}|{_TAIL}[{_SIGNS}{_LETTERS}])"
    rf"|[ð-ô](?=[^ ]*[{_SIGNS}]){_TAIL}{{3}}"
    # Two bytes: `Ã©` and `Â£` are nearly all of them in the languages of Western Europe.
    rf"|[ÂÃ][{_SIGNS}{_LETTERS}\u00a0]"
    # A capital letter inside a word, and a sign after it: `byÅ‚`.
    rf"|(?<=\p{{Ll}})[À-ß][{_SIGNS}Ÿ]"
    rf"|(?<=\p{{Ll}})[ÄÅ]{_TAIL}"
    # The same two bytes in cp1250, the code page of Central Europe.
    r"|[ĂĹ][\u00adˇ˘¤¦§¨©¬®°±˛´¶·¸˝Ľľżł‚†‡‰]|(?<=\p{Ll})[ĂĹ][ŁµŞş…]"
    # Mac Roman, and the code pages of DOS.
    r"|√[©°®†¢∂∏±ß¥]|‚Ä[ôúùìî¶¢]|[├┬][^\s\u2500-\u257f]|Γ[Çé][ÖôöÜª]"
)
# Each may be chance in clean text: `CAFÉ®`, `«¿qué?»`. Several are not.
_DOUBTFUL = regex.compile(
    rf"[À-ï][{_SIGNS}]"
    # Cyrillic that was read as cp1251.
    r"|[РС][°±µ¶·№»Ѕѕјѓ„…†‡€‰‹™›¤¦§©«¬®ЂЃЉЊЌЋЏђљњќћџҐґЈЎў]"
)
_MANY = 3


def find_mojibake(text: str) -> str | None:
    """Return the first piece of a text that was decoded with the wrong encoding, or None.

    Args:
        text: as in the file; normalisation removes half of what gives mojibake away.
    """
    if found := _CERTAIN.search(text):
        return found[0]
    doubtful = _DOUBTFUL.findall(text)
    return doubtful[0] if len(doubtful) >= _MANY else None
