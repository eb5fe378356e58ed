# ruff: noqa: E501 - a word and all its forms are one row
"""People: pronouns, relatives and others, each in every case."""

from nmt.phrasebook.forms import LINK, Agreement, Person, rows

# key | subject | object | possessive | agreement |
# nominative | accusative | dative | with | at | genitive | by
_PRONOUNS = """
first | I | me | my | I | நான் | என்னை | எனக்கு | என்னுடன் | என்னிடம் | என் | என்னால்
first | we | us | our | WE | நாங்கள் | எங்களை | எங்களுக்கு | எங்களுடன் | எங்களிடம் | எங்கள் | எங்களால்
you | you | you | your | YOU | நீங்கள் | உங்களை | உங்களுக்கு | உங்களுடன் | உங்களிடம் | உங்கள் | உங்களால்
he | he | him | his | HE | அவன் | அவனை | அவனுக்கு | அவனுடன் | அவனிடம் | அவனுடைய | அவனால்
she | she | her | her | SHE | அவள் | அவளை | அவளுக்கு | அவளுடன் | அவளிடம் | அவளுடைய | அவளால்
they | they | them | their | THEY | அவர்கள் | அவர்களை | அவர்களுக்கு | அவர்களுடன் | அவர்களிடம் | அவர்களுடைய | அவர்களால்
"""

# english | agreement | nominative | accusative | dative | with | at | genitive | by
_RELATIVES = """
mother | RESPECT | அம்மா | அம்மாவை | அம்மாவுக்கு | அம்மாவுடன் | அம்மாவிடம் | அம்மாவின் | அம்மாவால்
father | RESPECT | அப்பா | அப்பாவை | அப்பாவுக்கு | அப்பாவுடன் | அப்பாவிடம் | அப்பாவின் | அப்பாவால்
grandmother | RESPECT | பாட்டி | பாட்டியை | பாட்டிக்கு | பாட்டியுடன் | பாட்டியிடம் | பாட்டியின் | பாட்டியால்
grandfather | RESPECT | தாத்தா | தாத்தாவை | தாத்தாவுக்கு | தாத்தாவுடன் | தாத்தாவிடம் | தாத்தாவின் | தாத்தாவால்
elder brother | RESPECT | அண்ணன் | அண்ணனை | அண்ணனுக்கு | அண்ணனுடன் | அண்ணனிடம் | அண்ணனின் | அண்ணனால்
younger brother | HE | தம்பி | தம்பியை | தம்பிக்கு | தம்பியுடன் | தம்பியிடம் | தம்பியின் | தம்பியால்
elder sister | RESPECT | அக்கா | அக்காவை | அக்காவுக்கு | அக்காவுடன் | அக்காவிடம் | அக்காவின் | அக்காவால்
younger sister | SHE | தங்கை | தங்கையை | தங்கைக்கு | தங்கையுடன் | தங்கையிடம் | தங்கையின் | தங்கையால்
friend | RESPECT | நண்பர் | நண்பரை | நண்பருக்கு | நண்பருடன் | நண்பரிடம் | நண்பரின் | நண்பரால்
"""

_YOUNG = """
the boy | HE | சிறுவன் | சிறுவனை | சிறுவனுக்கு | சிறுவனுடன் | சிறுவனிடம் | சிறுவனின் | சிறுவனால்
the girl | SHE | சிறுமி | சிறுமியை | சிறுமிக்கு | சிறுமியுடன் | சிறுமியிடம் | சிறுமியின் | சிறுமியால்
the child | IT | குழந்தை | குழந்தையை | குழந்தைக்கு | குழந்தையுடன் | குழந்தையிடம் | குழந்தையின் | குழந்தையால்
the children | THEY | குழந்தைகள் | குழந்தைகளை | குழந்தைகளுக்கு | குழந்தைகளுடன் | குழந்தைகளிடம் | குழந்தைகளின் | குழந்தைகளால்
"""

_ADULTS = """
Ravi | HE | ரவி | ரவியை | ரவிக்கு | ரவியுடன் | ரவியிடம் | ரவியின் | ரவியால்
Meena | SHE | மீனா | மீனாவை | மீனாவுக்கு | மீனாவுடன் | மீனாவிடம் | மீனாவின் | மீனாவால்
the woman | SHE | பெண் | பெண்ணை | பெண்ணுக்கு | பெண்ணுடன் | பெண்ணிடம் | பெண்ணின் | பெண்ணால்
the students | THEY | மாணவர்கள் | மாணவர்களை | மாணவர்களுக்கு | மாணவர்களுடன் | மாணவர்களிடம் | மாணவர்களின் | மாணவர்களால்
the guest | RESPECT | விருந்தினர் | விருந்தினரை | விருந்தினருக்கு | விருந்தினருடன் | விருந்தினரிடம் | விருந்தினரின் | விருந்தினரால்
"""

_WORKERS = """
the teacher | RESPECT | ஆசிரியர் | ஆசிரியரை | ஆசிரியருக்கு | ஆசிரியருடன் | ஆசிரியரிடம் | ஆசிரியரின் | ஆசிரியரால்
the student | RESPECT | மாணவர் | மாணவரை | மாணவருக்கு | மாணவருடன் | மாணவரிடம் | மாணவரின் | மாணவரால்
the farmer | RESPECT | விவசாயி | விவசாயியை | விவசாயிக்கு | விவசாயியுடன் | விவசாயியிடம் | விவசாயியின் | விவசாயியால்
the driver | RESPECT | ஓட்டுநர் | ஓட்டுநரை | ஓட்டுநருக்கு | ஓட்டுநருடன் | ஓட்டுநரிடம் | ஓட்டுநரின் | ஓட்டுநரால்
the shopkeeper | RESPECT | கடைக்காரர் | கடைக்காரரை | கடைக்காரருக்கு | கடைக்காரருடன் | கடைக்காரரிடம் | கடைக்காரரின் | கடைக்காரரால்
"""

_CLINIC = """
the doctor | RESPECT | மருத்துவர் | மருத்துவரை | மருத்துவருக்கு | மருத்துவருடன் | மருத்துவரிடம் | மருத்துவரின் | மருத்துவரால்
the nurse | RESPECT | செவிலியர் | செவிலியரை | செவிலியருக்கு | செவிலியருடன் | செவிலியரிடம் | செவிலியரின் | செவிலியரால்
the patient | RESPECT | நோயாளி | நோயாளியை | நோயாளிக்கு | நோயாளியுடன் | நோயாளியிடம் | நோயாளியின் | நோயாளியால்
the pharmacist | RESPECT | மருந்தாளுநர் | மருந்தாளுநரை | மருந்தாளுநருக்கு | மருந்தாளுநருடன் | மருந்தாளுநரிடம் | மருந்தாளுநரின் | மருந்தாளுநரால்
the dentist | RESPECT | பல் மருத்துவர் | பல் மருத்துவரை | பல் மருத்துவருக்கு | பல் மருத்துவருடன் | பல் மருத்துவரிடம் | பல் மருத்துவரின் | பல் மருத்துவரால்
"""

# "his mother" is left out: after a third-person subject Tamil would need தன், not அவனுடைய.
_OWNERS = (("my", "என்"), ("your", "உங்கள்"))


def _pronoun(row: list[str]) -> Person:
    key, subject, object_, possessive, agreement, *forms = row
    return _person(key, (subject, object_, possessive), agreement, forms)


def _named(row: list[str], owner: tuple[str, str] = ("", "")) -> Person:
    english, agreement, *forms = row
    name = f"{owner[0]} {english}".strip()
    possessive = f"{name}'" if name.endswith("s") else f"{name}'s"
    owned = [f"{owner[1]} {form}".strip() for form in forms]
    return _person(english, (name, name, possessive), agreement, owned)


def _person(key: str, names: tuple[str, str, str], agreement: str, forms: list[str]) -> Person:
    nominative, accusative, dative, *rest = forms
    linked = (nominative, accusative + LINK, dative + LINK)
    return Person(key, *names, Agreement[agreement], *linked, *rest)


def _people(table: str) -> tuple[Person, ...]:
    return tuple(_named(row) for row in rows(table, 9))


PRONOUNS = tuple(_pronoun(row) for row in rows(_PRONOUNS, 12))
YOU = PRONOUNS[2]
RELATIVES = tuple(_named(row, owner) for row in rows(_RELATIVES, 9) for owner in _OWNERS)
YOUNG = _people(_YOUNG)
WORKERS = _people(_WORKERS)
ADULTS = _people(_ADULTS) + WORKERS
CLINIC_PEOPLE = _people(_CLINIC)
DOCTOR, NURSE, PATIENT, PHARMACIST, DENTIST = CLINIC_PEOPLE
