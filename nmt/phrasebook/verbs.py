# ruff: noqa: E501 - a word and all its forms are one row
"""Everyday verbs.

Tags: "adult" keeps small children from acting, "animal" lets animals act, "manner" takes an
adverb ("joyful": even "happily"), "dative" puts the object in the dative, "company" goes with "with somebody".
A verb without an imperative has none that is plain and in common written use.
"""

from nmt.phrasebook.forms import Verb, verbs

TRANSITIVE = verbs("""
read|reads|read|reading|படிக்கிற|படித்த|படிப்ப|படிக்க|படியுங்கள்|manner joyful|text
write|writes|wrote|writing|எழுதுகிற|எழுதின|எழுதுவ|எழுத|எழுதுங்கள்|manner joyful|write
eat|eats|ate|eating|சாப்பிடுகிற|சாப்பிட்ட|சாப்பிடுவ|சாப்பிட|சாப்பிடுங்கள்|manner joyful|food
drink|drinks|drank|drinking|குடிக்கிற|குடித்த|குடிப்ப|குடிக்க|குடியுங்கள்|animal manner|drink
cook|cooks|cooked|cooking|சமைக்கிற|சமைத்த|சமைப்ப|சமைக்க|சமையுங்கள்|adult|cooked
buy|buys|bought|buying|வாங்குகிற|வாங்கின|வாங்குவ|வாங்க|வாங்குங்கள்|adult|goods food cloth vehicle drink
sell|sells|sold|selling|விற்கிற|விற்ற|விற்ப|விற்க|-|adult|goods food cloth vehicle animal
look at|looks at|looked at|looking at|பார்க்கிற|பார்த்த|பார்ப்ப|பார்க்க|பாருங்கள்|animal|person animal plant goods building vehicle
look for|looks for|looked for|looking for|தேடுகிற|தேடின|தேடுவ|தேட|தேடுங்கள்|animal|person animal goods cloth text
bring|brings|brought|bringing|கொண்டு வருகிற|கொண்டு வந்த|கொண்டு வருவ|கொண்டு வர|கொண்டு வாருங்கள்|-|goods food drink cloth text
call|calls|called|calling|அழைக்கிற|அழைத்த|அழைப்ப|அழைக்க|அழையுங்கள்|-|person summoned
meet|meets|met|meeting|சந்திக்கிற|சந்தித்த|சந்திப்ப|சந்திக்க|சந்தியுங்கள்|-|person
help|helps|helped|helping|உதவுகிற|உதவின|உதவுவ|உதவ|உதவுங்கள்|dative|person
open|opens|opened|opening|திறக்கிற|திறந்த|திறப்ப|திறக்க|திறவுங்கள்|manner|openable
close|closes|closed|closing|மூடுகிற|மூடின|மூடுவ|மூட|மூடுங்கள்|manner|openable
clean|cleans|cleaned|cleaning|சுத்தம் செய்கிற|சுத்தம் செய்த|சுத்தம் செய்வ|சுத்தம் செய்ய|சுத்தம் செய்யுங்கள்|manner|tidy
wash|washes|washed|washing|துவைக்கிற|துவைத்த|துவைப்ப|துவைக்க|துவையுங்கள்|manner|cloth
listen to|listens to|listened to|listening to|கேட்கிற|கேட்ட|கேட்ப|கேட்க|கேளுங்கள்|manner joyful|sound
draw|draws|drew|drawing|வரைகிற|வரைந்த|வரைவ|வரைய|வரையுங்கள்|manner joyful|drawn
carry|carries|carried|carrying|சுமக்கிற|சுமந்த|சுமப்ப|சுமக்க|-|adult manner|load
repair|repairs|repaired|repairing|பழுதுபார்க்கிற|பழுதுபார்த்த|பழுதுபார்ப்ப|பழுதுபார்க்க|பழுதுபாருங்கள்|adult|machine
cut|cuts|cut|cutting|வெட்டுகிற|வெட்டின|வெட்டுவ|வெட்ட|வெட்டுங்கள்|adult manner|cuttable
""")

GIVING = verbs("""
give|gives|gave|giving|கொடுக்கிற|கொடுத்த|கொடுப்ப|கொடுக்க|கொடுங்கள்|-|goods cloth text food gift
send|sends|sent|sending|அனுப்புகிற|அனுப்பின|அனுப்புவ|அனுப்ப|அனுப்புங்கள்|-|goods cloth text gift
show|shows|showed|showing|காட்டுகிற|காட்டின|காட்டுவ|காட்ட|காட்டுங்கள்|-|goods cloth text animal
""")

INTRANSITIVE = verbs("""
play|plays|played|playing|விளையாடுகிற|விளையாடின|விளையாடுவ|விளையாட|விளையாடுங்கள்|company manner joyful animal|outdoors indoors
sleep|sleeps|slept|sleeping|தூங்குகிற|தூங்கின|தூங்குவ|தூங்க|தூங்குங்கள்|animal|indoors outdoors
walk|walks|walked|walking|நடக்கிற|நடந்த|நடப்ப|நடக்க|-|company animal manner joyful|outdoors
run|runs|ran|running|ஓடுகிற|ஓடின|ஓடுவ|ஓட|ஓடுங்கள்|animal manner|outdoors
work|works|worked|working|வேலை செய்கிற|வேலை செய்த|வேலை செய்வ|வேலை செய்ய|வேலை செய்யுங்கள்|adult company manner joyful|building indoors outdoors town
wait|waits|waited|waiting|காத்திருக்கிற|காத்திருந்த|காத்திருப்ப|காத்திருக்க|காத்திருங்கள்|company|building indoors outdoors
live|lives|lived|living|வசிக்கிற|வசித்த|வசிப்ப|வசிக்க|-|company|town
sing|sings|sang|singing|பாடுகிற|பாடின|பாடுவ|பாட|பாடுங்கள்|company manner joyful|building indoors outdoors
swim|swims|swam|swimming|நீந்துகிற|நீந்தின|நீந்துவ|நீந்த|-|company manner animal|swim
""")


def _verb(row: str) -> Verb:
    return verbs(row)[0]


TALK = _verb("talk|talks|talked|talking|பேசுகிற|பேசின|பேசுவ|பேச|பேசுங்கள்|company manner|")
ASK = _verb("ask|asks|asked|asking|கேட்கிற|கேட்ட|கேட்ப|கேட்க|கேளுங்கள்|-|")
PUT = _verb("put|puts|put|putting|வைக்கிற|வைத்த|வைப்ப|வைக்க|வையுங்கள்|-|small")
GO = _verb("go|goes|went|going|செல்கிற|சென்ற|செல்வ|செல்ல|செல்லுங்கள்|-|")
COME = _verb("come|comes|came|coming|வருகிற|வந்த|வருவ|வர|வாருங்கள்|-|")
RETURN = _verb("return|returns|returned|returning|திரும்புகிற|திரும்பின|திரும்புவ|திரும்ப|-|-|")
WANT = _verb("want|wants|wanted|wanting|விரும்புகிற|விரும்பின|விரும்புவ|விரும்ப|-|-|")
BE = _verb("be|is|was|being|இருக்கிற|இருந்த|இருப்ப|இருக்க|இருங்கள்|-|")
HAVE = _verb("have|has|had|having|இருக்கிற|இருந்த|இருப்ப|இருக்க|-|-|")
RAIN = _verb("rain|rains|rained|raining|மழை பெய்கிற|மழை பெய்த|மழை பெய்வ|மழை பெய்ய|-|-|")
BLOW = _verb("blow|blows|blew|blowing|காற்று வீசுகிற|காற்று வீசின|காற்று வீசுவ|காற்று வீச|-|-|")
