"""Adjectives, adverbs, numbers and times."""

from nmt.phrasebook.forms import Adjective, Tense, When, rows

# english | before a noun | before "to be" | the tags of what it describes
_ADJECTIVES = """
big | பெரிய | பெரியதாக | goods building vehicle animal tidy outdoors
small | சிறிய | சிறியதாக | goods building vehicle animal tidy
new | புதிய | புதியதாக | goods text cloth vehicle building
old | பழைய | பழையதாக | goods text cloth vehicle building
good | நல்ல | நன்றாக | food drink text
beautiful | அழகான | அழகாக | cloth plant drawn animal
expensive | விலையுயர்ந்த | விலையுயர்ந்ததாக | goods cloth vehicle
cheap | மலிவான | மலிவாக | goods cloth vehicle food
useful | பயனுள்ள | பயனுள்ளதாக | goods text machine
heavy | கனமான | கனமாக | load machine
clean | சுத்தமான | சுத்தமாக | cloth tidy
dirty | அழுக்கான | அழுக்காக | cloth tidy
red | சிவப்பு+ | சிவப்பாக | colour
white | வெள்ளை+ | வெள்ளையாக | colour
black | கறுப்பு+ | கறுப்பாக | colour
hot | சூடான | சூடாக | drink cooked
cold | குளிர்ந்த | குளிர்ச்சியாக | drink
tasty | சுவையான | சுவையாக | food drink
interesting | சுவாரசியமான | சுவாரசியமாக | text topic
tall | உயரமான | உயரமாக | person tall
happy | மகிழ்ச்சியான | மகிழ்ச்சியாக | person
sad | சோகமான | சோகமாக | person
tired | சோர்வான | சோர்வாக | person
kind | அன்பான | அன்பாக | person
"""
ADJECTIVES = tuple(
    Adjective(english, before, predicate, tuple(fits.split()))
    for english, before, predicate, fits in rows(_ADJECTIVES, 4)
)

# Adjectives for persons, as in "a good teacher".
PRAISE = (
    ("", ""),
    ("good", "நல்ல"),
    ("kind", "அன்பான"),
    ("tall", "உயரமான"),
    ("happy", "மகிழ்ச்சியான"),
)

MANNERS = (
    ("slowly", "மெதுவாக+"),
    ("quickly", "வேகமாக+"),
    ("quietly", "அமைதியாக+"),
)
JOYFUL = ("happily", "மகிழ்ச்சியாக+")

QUANTITIES = (
    ("two", "இரண்டு"),
    ("three", "மூன்று"),
    ("four", "நான்கு"),
    ("five", "ஐந்து"),
    ("eight", "எட்டு+"),
    ("ten", "பத்து+"),
    ("many", "பல"),
)

DEMONSTRATIVES = (("this", "இந்த+"), ("that", "அந்த+"))

# "In the morning" is not used for habits: "I read a book in the morning" could be past or present.
_ONCE = (Tense.PAST, Tense.FUTURE)
TIMES = tuple(
    When(english, tamil, frozenset(tenses))
    for english, tamil, tenses in (
        ("yesterday", "நேற்று", (Tense.PAST,)),
        ("last week", "கடந்த வாரம்", (Tense.PAST,)),
        ("now", "இப்போது", (Tense.NOW,)),
        ("every day", "தினமும்", (Tense.HABIT,)),
        ("every week", "ஒவ்வொரு வாரமும்", (Tense.HABIT,)),
        ("tomorrow", "நாளை", (Tense.FUTURE,)),
        ("next week", "அடுத்த வாரம்", (Tense.FUTURE,)),
        ("today", "இன்று", (*_ONCE, Tense.NOW)),
        ("in the morning", "காலையில்", _ONCE),
        ("in the evening", "மாலையில்", _ONCE),
        ("at night", "இரவில்", _ONCE),
    )
)
