"""Everyday things, animals and places; tags say which verbs and adjectives fit them."""

from nmt.phrasebook.forms import places, rows, things

THINGS = things("""
book | books | புத்தகம் | புத்தகத்தை | புத்தகங்கள் | புத்தகங்களை | goods text write small
letter | letters | கடிதம் | கடிதத்தை | கடிதங்கள் | கடிதங்களை | text write gift
story | stories | கதை | கதையை | கதைகள் | கதைகளை | text write sound topic
newspaper | newspapers | செய்தித்தாள் | செய்தித்தாளை | செய்தித்தாள்கள் | செய்தித்தாள்களை | goods text small
song | songs | பாடல் | பாடலை | பாடல்கள் | பாடல்களை | write sound topic
radio | radios | வானொலி | வானொலியை | வானொலிகள் | வானொலிகளை | goods machine sound
picture | pictures | படம் | படத்தை | படங்கள் | படங்களை | goods drawn topic small
umbrella | umbrellas | குடை | குடையை | குடைகள் | குடைகளை | goods colour drawn
bag | bags | பை | பையை | பைகள் | பைகளை | goods colour openable load small
pen | pens | பேனா | பேனாவை | பேனாக்கள் | பேனாக்களை | goods colour small
key | keys | சாவி | சாவியை | சாவிகள் | சாவிகளை | goods small
box | boxes | பெட்டி | பெட்டியை | பெட்டிகள் | பெட்டிகளை | goods openable load
ball | balls | பந்து | பந்தை | பந்துகள் | பந்துகளை | goods colour small
toy | toys | பொம்மை | பொம்மையை | பொம்மைகள் | பொம்மைகளை | goods drawn small
phone | phones | தொலைபேசி | தொலைபேசியை | தொலைபேசிகள் | தொலைபேசிகளை | goods machine
chair | chairs | நாற்காலி | நாற்காலியை | நாற்காலிகள் | நாற்காலிகளை | goods tidy load machine
table | tables | மேசை | மேசையை | மேசைகள் | மேசைகளை | goods tidy load
flower | flowers | பூ | பூவை | பூக்கள் | பூக்களை | goods plant drawn cuttable colour gift
tree | trees | மரம் | மரத்தை | மரங்கள் | மரங்களை | plant drawn cuttable tall topic
shirt | shirts | சட்டை | சட்டையை | சட்டைகள் | சட்டைகளை | cloth colour
saree | sarees | புடவை | புடவையை | புடவைகள் | புடவைகளை | cloth colour
bicycle | bicycles | மிதிவண்டி | மிதிவண்டியை | மிதிவண்டிகள் | மிதிவண்டிகளை | vehicle machine colour drawn
bus | buses | பேருந்து | பேருந்தை | பேருந்துகள் | பேருந்துகளை | vehicle machine tidy topic
boat | boats | படகு | படகை | படகுகள் | படகுகளை | vehicle machine tidy drawn topic colour
door | doors | கதவு | கதவை | கதவுகள் | கதவுகளை | openable tidy machine colour
window | windows | ஜன்னல் | ஜன்னலை | ஜன்னல்கள் | ஜன்னல்களை | openable tidy machine
mango | mangoes | மாம்பழம் | மாம்பழத்தை | மாம்பழங்கள் | மாம்பழங்களை | food cuttable
dosa | dosas | தோசை | தோசையை | தோசைகள் | தோசைகளை | food cooked
rice | - | சோறு | சோற்றை | - | - | food cooked
bread | - | ரொட்டி | ரொட்டியை | - | - | food cuttable
fish | - | மீன் | மீனை | - | - | food cooked cuttable
meat | - | இறைச்சி | இறைச்சியை | - | - | food cooked cuttable
milk | - | பால் | பாலை | - | - | drink
water | - | தண்ணீர் | தண்ணீரை | - | - | drink gift topic
tea | - | தேநீர் | தேநீரை | - | - | drink
coffee | - | காபி | காபியை | - | - | drink
""")

ANIMALS = things("""
dog | dogs | நாய் | நாயை | நாய்கள் | நாய்களை | animal drawn
cat | cats | பூனை | பூனையை | பூனைகள் | பூனைகளை | animal drawn
cow | cows | பசு | பசுவை | பசுக்கள் | பசுக்களை | animal drawn
bird | birds | பறவை | பறவையை | பறவைகள் | பறவைகளை | animal drawn
horse | horses | குதிரை | குதிரையை | குதிரைகள் | குதிரைகளை | animal drawn
elephant | elephants | யானை | யானையை | யானைகள் | யானைகளை | animal drawn
""")

PLACES = places("""
the house | in | வீடு | வீட்டை | வீட்டிற்கு | வீட்டில் | tidy indoors building drawn
the room | in | அறை | அறையை | அறைக்கு | அறையில் | tidy indoors
the kitchen | in | சமையலறை | சமையலறையை | சமையலறைக்கு | சமையலறையில் | tidy indoors
the school | at | பள்ளி | பள்ளியை | பள்ளிக்கு | பள்ளியில் | tidy building public topic
the market | at | சந்தை | சந்தையை | சந்தைக்கு | சந்தையில் | outdoors topic
the shop | at | கடை | கடையை | கடைக்கு | கடையில் | tidy building public openable
the temple | at | கோயில் | கோயிலை | கோயிலுக்கு | கோயிலில் | tidy building public topic drawn
the office | at | அலுவலகம் | அலுவலகத்தை | அலுவலகத்திற்கு | அலுவலகத்தில் | tidy building public topic
the park | in | பூங்கா | பூங்காவை | பூங்காவுக்கு | பூங்காவில் | tidy outdoors public
the garden | in | தோட்டம் | தோட்டத்தை | தோட்டத்திற்கு | தோட்டத்தில் | tidy outdoors drawn
the village | in | கிராமம் | கிராமத்தை | கிராமத்திற்கு | கிராமத்தில் | town outdoors topic
the city | in | நகரம் | நகரத்தை | நகரத்திற்கு | நகரத்தில் | town topic
the field | in | வயல் | வயலை | வயலுக்கு | வயலில் | outdoors
the river | in | ஆறு | ஆற்றை | ஆற்றிற்கு | ஆற்றில் | topic drawn swim
the street | in | தெரு | தெருவை | தெருவுக்கு | தெருவில் | outdoors tidy
Chennai | in | சென்னை | சென்னையை | சென்னைக்கு | சென்னையில் | town topic
Madurai | in | மதுரை | மதுரையை | மதுரைக்கு | மதுரையில் | town topic
""")

# Places for small things.
SPOTS = tuple(
    (english, tamil)
    for english, tamil in rows(
        """
on the table | மேசையில்
in the box | பெட்டியில்
in the bag | பையில்
in the room | அறையில்
in the kitchen | சமையலறையில்
in the house | வீட்டில்
""",
        2,
    )
)
