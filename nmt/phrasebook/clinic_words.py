# ruff: noqa: E501 - a word and all its forms are one row
"""The clinic's nouns and verbs.

Everyday sentences use the first tables too; the ``ONLY`` tables and the verbs are the clinic's.
"""

from dataclasses import dataclass

from nmt.phrasebook.forms import LINK, places, rows, things, verbs


@dataclass(frozen=True, slots=True)
class Ailment:
    """A complaint or concern: ``english`` after "have", ``definite`` as a topic."""

    english: str
    definite: str
    nominative: str
    accusative: str


def _ailments(table: str) -> tuple[Ailment, ...]:
    return tuple(
        Ailment(english, definite, name, the + LINK)
        for english, definite, name, the in rows(table, 4)
    )


CLINIC_THINGS = things("""
medicine | medicines | மருந்து | மருந்தை | மருந்துகள் | மருந்துகளை | goods topic small
tablet | tablets | மாத்திரை | மாத்திரையை | மாத்திரைகள் | மாத்திரைகளை | goods small
ointment | ointments | களிம்பு | களிம்பை | களிம்புகள் | களிம்புகளை | goods small
thermometer | thermometers | வெப்பமானி | வெப்பமானியை | வெப்பமானிகள் | வெப்பமானிகளை | goods machine small
bandage | bandages | கட்டுத்துணி | கட்டுத்துணியை | கட்டுத்துணிகள் | கட்டுத்துணிகளை | cloth cuttable
mask | masks | முகக்கவசம் | முகக்கவசத்தை | முகக்கவசங்கள் | முகக்கவசங்களை | cloth colour
wheelchair | wheelchairs | சக்கர நாற்காலி | சக்கர நாற்காலியை | சக்கர நாற்காலிகள் | சக்கர நாற்காலிகளை | goods machine tidy
prescription | prescriptions | மருந்துச் சீட்டு | மருந்துச் சீட்டை | மருந்துச் சீட்டுகள் | மருந்துச் சீட்டுகளை | text write
report | reports | அறிக்கை | அறிக்கையை | அறிக்கைகள் | அறிக்கைகளை | text write topic
ambulance | ambulances | ஆம்புலன்ஸ் | ஆம்புலன்ஸை | ஆம்புலன்ஸ்கள் | ஆம்புலன்ஸ்களை | vehicle machine tidy summoned topic
""")
MEDICINE, TABLET, OINTMENT, *_ = CLINIC_THINGS

CLINIC_PLACES = places("""
the hospital | at | மருத்துவமனை | மருத்துவமனையை | மருத்துவமனைக்கு | மருத்துவமனையில் | building public topic
the clinic | at | மருத்துவகம் | மருத்துவகத்தை | மருத்துவகத்திற்கு | மருத்துவகத்தில் | tidy building public
the pharmacy | at | மருந்தகம் | மருந்தகத்தை | மருந்தகத்திற்கு | மருந்தகத்தில் | building public openable
the laboratory | at | ஆய்வகம் | ஆய்வகத்தை | ஆய்வகத்திற்கு | ஆய்வகத்தில் | tidy building
""")
HOSPITAL, CLINIC, *_ = CLINIC_PLACES

AILMENTS = _ailments("""
a fever | the fever | காய்ச்சல் | காய்ச்சலை
a headache | the headache | தலைவலி | தலைவலியை
a cough | the cough | இருமல் | இருமலை
a stomach ache | the stomach ache | வயிற்றுவலி | வயிற்றுவலியை
a toothache | the toothache | பல்வலி | பல்வலியை
back pain | the back pain | முதுகுவலி | முதுகுவலியை
""")
CONCERNS = _ailments("""
- | the disease | நோய் | நோயை
- | the treatment | சிகிச்சை | சிகிச்சையை
- | the blood pressure | இரத்த அழுத்தம் | இரத்த அழுத்தத்தை
""")

AILMENTS_ONLY = _ailments("""
an allergy | the allergy | ஒவ்வாமை | ஒவ்வாமையை
a sore throat | the sore throat | தொண்டைவலி | தொண்டைவலியை
""")
READINGS_ONLY = _ailments("""
- | temperature | உடல் வெப்பநிலை | உடல் வெப்பநிலையை
- | pulse | நாடித்துடிப்பு | நாடித்துடிப்பை
- | blood pressure | இரத்த அழுத்தம் | இரத்த அழுத்தத்தை
""")
# body part | nominative | accusative | "on it"
BODY_ONLY = rows(
    """
hand | கை | கையை+ | கையில்
leg | கால் | காலை+ | காலில்
wound | காயம் | காயத்தை+ | காயத்தில்
""",
    4,
)

TAKING = verbs("""
take|takes|took|taking|உட்கொள்கிற|உட்கொண்ட|உட்கொள்வ|உட்கொள்ள|உட்கொள்ளுங்கள்|-|
swallow|swallows|swallowed|swallowing|விழுங்குகிற|விழுங்கின|விழுங்குவ|விழுங்க|விழுங்குங்கள்|-|
""")
CARING = verbs("""
examine|examines|examined|examining|பரிசோதிக்கிற|பரிசோதித்த|பரிசோதிப்ப|பரிசோதிக்க|பரிசோதியுங்கள்|-|person body
monitor|monitors|monitored|monitoring|கண்காணிக்கிற|கண்காணித்த|கண்காணிப்ப|கண்காணிக்க|கண்காணியுங்கள்|-|person reading
treat|treats|treated|treating|சிகிச்சை அளிக்கிற|சிகிச்சை அளித்த|சிகிச்சை அளிப்ப|சிகிச்சை அளிக்க|சிகிச்சை அளியுங்கள்|dative|person
vaccinate|vaccinates|vaccinated|vaccinating|தடுப்பூசி போடுகிற|தடுப்பூசி போட்ட|தடுப்பூசி போடுவ|தடுப்பூசி போட|தடுப்பூசி போடுங்கள்|dative|person
measure|measures|measured|measuring|அளவிடுகிற|அளவிட்ட|அளவிடுவ|அளவிட|அளவிடுங்கள்|-|reading
""")
SYMPTOMS = verbs("""
cough|coughs|coughed|coughing|இருமுகிற|இருமின|இருமுவ|இரும|-|-|
sneeze|sneezes|sneezed|sneezing|தும்முகிற|தும்மின|தும்முவ|தும்ம|-|-|
vomit|vomits|vomited|vomiting|வாந்தி எடுக்கிற|வாந்தி எடுத்த|வாந்தி எடுப்ப|வாந்தி எடுக்க|-|-|
faint|faints|fainted|fainting|மயங்குகிற|மயங்கின|மயங்குவ|மயங்க|-|-|
""")
HEALING = verbs("""
rest|rests|rested|resting|ஓய்வெடுக்கிற|ஓய்வெடுத்த|ஓய்வெடுப்ப|ஓய்வெடுக்க|ஓய்வெடுங்கள்|-|
recover|recovers|recovered|recovering|குணமடைகிற|குணமடைந்த|குணமடைவ|குணமடைய|-|-|
breathe|breathes|breathed|breathing|மூச்சு விடுகிற|மூச்சு விட்ட|மூச்சு விடுவ|மூச்சு விட|-|-|
""")
REST, RECOVER, BREATHE = HEALING
APPLY, PRESCRIBE, AVOID, CONSULT, HURT, ADMIT = verbs("""
apply|applies|applied|applying|தடவுகிற|தடவின|தடவுவ|தடவ|தடவுங்கள்|-|
prescribe|prescribes|prescribed|prescribing|பரிந்துரைக்கிற|பரிந்துரைத்த|பரிந்துரைப்ப|பரிந்துரைக்க|-|-|
avoid|avoids|avoided|avoiding|தவிர்க்கிற|தவிர்த்த|தவிர்ப்ப|தவிர்க்க|தவிருங்கள்|-|
consult|consults|consulted|consulting|அணுகுகிற|அணுகின|அணுகுவ|அணுக|அணுகுங்கள்|-|
hurt|hurts|hurt|hurting|வலிக்கிற|வலித்த|வலிப்ப|வலிக்க|-|-|
admit|admits|admitted|admitting|அனுமதிக்கிற|அனுமதித்த|அனுமதிப்ப|அனுமதிக்க|-|-|
""")

TIMES_A_DAY = (
    ("once", "ஒரு முறை"),
    ("twice", "இரண்டு முறை"),
    ("three times", "மூன்று முறை"),
    ("four times", "நான்கு முறை"),
)
MEALS = (
    ("food", "உணவுக்கு+"),
    ("breakfast", "காலை உணவுக்கு+"),
    ("lunch", "மதிய உணவுக்கு+"),
    ("dinner", "இரவு உணவுக்கு+"),
)
SPANS = (
    ("two days", "இரண்டு நாட்கள்"),
    ("three days", "மூன்று நாட்கள்"),
    ("five days", "ஐந்து நாட்கள்"),
    ("ten days", "பத்து நாட்கள்"),
    ("one week", "ஒரு வாரம்"),
    ("two weeks", "இரண்டு வாரங்கள்"),
)
