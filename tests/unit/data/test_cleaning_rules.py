"""Rules that look for damaged, foreign, copied and repeated text."""

import pytest

from nmt.config import CleaningConfig
from nmt.data.cleaning import (
    NUMBERS_DIFFER,
    SENTENCES_DIFFER,
    SOURCE_UNFINISHED,
    TARGET_UNFINISHED,
    URLS_DIFFER,
    Features,
    clean_block,
    fit_ratios,
    fitted_drops,
)

ENGLISH = "The doctor gave the patient his medicine this morning."
TAMIL = "மருத்துவர் இன்று காலை நோயாளிக்கு மருந்து கொடுத்தார்."
GERMAN = "Die Ärztin gab dem Patienten heute Morgen seine Medizin."
DEFAULTS = CleaningConfig()


def rule(
    source: str,
    target: str,
    languages: tuple[str, str] = ("eng_Latn", "tam_Taml"),
    rules: CleaningConfig = DEFAULTS,
) -> str | None:
    drops = clean_block([source], [target], rules, *languages).drops
    return drops[0].rule if drops else None


def features(source: str, target: str) -> Features:
    return clean_block([source], [target], DEFAULTS, "eng_Latn", "tam_Taml").features


@pytest.mark.parametrize(
    "text",
    [
        GERMAN,
        "Le médecin a donné son médicament au patient ce matin.",
        "El médico le dio la medicina al paciente esta mañana.",
        "Regeringen sade på tisdagen att skatten inte kommer att höjas nästa år.",
        "LE MÉDECIN A DONNÉ SON MÉDICAMENT AU PATIENT CE MATIN.",
    ],
)
def test_a_source_in_another_language_of_the_same_script_is_dropped(text: str) -> None:
    assert rule(text, TAMIL) == "wrong_language"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("nob_Latn", "Legen ga pasienten medisinen sin i dag tidlig."),
        ("dan_Latn", "Lægen gav patienten hans medicin i morges."),
        ("hrv_Latn", "Liječnik je jutros pacijentu dao njegov lijek."),
        ("srp_Cyrl", "Лекар је јутрос пацијенту дао његов лек."),
        ("bos_Latn", "Ljekar je jutros pacijentu dao njegov lijek."),
        ("ind_Latn", "Dokter memberi pasien itu obatnya pagi ini."),
        ("zsm_Latn", "Doktor memberi pesakit itu ubatnya pagi ini."),
        ("hin_Deva", "डॉक्टर ने आज सुबह मरीज़ को उसकी दवा दी।"),
        ("mar_Deva", "डॉक्टरांनी आज सकाळी रुग्णाला त्याचे औषध दिले."),
        ("npi_Deva", "डाक्टरले आज बिहान बिरामीलाई उनको औषधि दिए।"),
        ("ces_Latn", "Lékař dal dnes ráno pacientovi jeho lék."),
        ("slk_Latn", "Lekár dal dnes ráno pacientovi jeho liek."),
        ("zho_Hant", "醫生今天早上給病人吃了他的藥，然後病人就回家休息了。"),
    ],
)
def test_close_languages_lose_no_clean_text(language: str, text: str) -> None:
    assert rule(ENGLISH, text, ("eng_Latn", language)) is None
    assert rule(text, ENGLISH, (language, "eng_Latn")) is None


def test_names_and_short_text_have_no_language() -> None:
    assert rule("Guten Tag, Frau Doktor", TAMIL) is None
    assert rule("Rolf Schäfer, Jürgen Weiß, Anke Groß", "ரோல்ஃப், யூர்கன், ஆங்கே") is None


def test_languages_are_identified_only_if_asked_for() -> None:
    rules = CleaningConfig(min_language_confidence=None)
    assert rule(GERMAN, TAMIL, rules=rules) is None


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "The café’s menu – in full – costs £5."),
        ("latin-1", "The café’s menu – in full – costs £5."),
        ("cp1252", "Größe und Länge der Straße prüfen"),
        ("cp1252", "aquí está"),
        ("cp1250", "aquí está el café"),
        ("mac_roman", "The café’s menu"),
        ("cp1251", "врач дал больному лекарство"),
        ("latin-1", TAMIL),
    ],
)
def test_text_in_the_wrong_encoding_is_dropped(encoding: str, text: str) -> None:
    wrong = text.encode().decode(encoding, "replace")
    assert rule(wrong, TAMIL, ("rus_Cyrl", "tam_Taml")) in ("mojibake", "broken_characters")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fra_Latn", "« Voilà… » dit-il, l’été dernier, à 20 °C ; c’était déjà là…»"),
        ("spa_Latn", "¿Qué…? —preguntó—. «Está…», dijo, en la 1.ª calle."),
        ("por_Latn", "NÃO HÁ PÃO NA MESA, DISSE A MÃE À IRMÃ."),
        ("ces_Latn", "Úžasný večer, říkal Ášurbanipal."),
        ("deu_Latn", "Das Café® kostet 5 €; „Grüße“ aus der Straße Nº 3."),
        ("ron_Latn", "„PĂMÂNTUL” ȘI FĂRĂ CĂŞTIG… Ăştia VĂ RUGĂM."),
        ("slk_Latn", "Ľudia v Ĺ… a Ľubovňa, stĺp, vŕba."),
        ("vie_Latn", "Bác sĩ đã cho bệnh nhân uống thuốc sáng nay; “Đã uống”."),
        ("rus_Cyrl", "СССР и РФ: «Росатом», Саратов, Рязань, Россия."),
        ("ukr_Cyrl", "Різдво, Рівне, Сіверськ і Січ — «Рідне»."),
    ],
)
def test_accents_beside_signs_are_not_mojibake(language: str, text: str) -> None:
    assert rule(text, TAMIL, (language, "tam_Taml")) is None


@pytest.mark.parametrize(
    "text",
    [
        "[[File:Map.png|thumb]] {}",
        "{} {{{{cite web|url=x}}}}",
        '{} style="color:red">',
        "{} />",
        "{} [/quote]",
        "'''{}'''",
        "{} {{{{reflist}}}}",
        "{} &amp;nbsp;",
        "{} \\u0b85\\u0b86",
        "{} %E0%AE%85%E0%AE%86",
    ],
)
def test_markup_that_is_left_is_dropped(text: str) -> None:
    assert rule(ENGLISH, text.format(TAMIL)) == "markup"


@pytest.mark.parametrize(
    "extra",
    [
        "{{name}}",
        "[i]n [sic]",
        "a < b",
        "5 > 3",
        "<team@example.org>",
        "x = 5",
        "'n'",
        "5 %",
        "C:\\new",
    ],
)
def test_brackets_of_ordinary_text_are_kept(extra: str) -> None:
    assert rule(f"{ENGLISH} {extra}", f"{TAMIL} {extra}") is None


@pytest.mark.parametrize(
    "text",
    [
        "நோயாளிக்கு " * 4 + TAMIL,
        TAMIL + " காலை நோயாளிக்கு" * 5,
        "மருந்து, மருந்து, மருந்து, மருந்து. " + TAMIL,
    ],
)
def test_a_repeated_word_or_phrase_is_dropped(text: str) -> None:
    assert rule(ENGLISH, text) == "repetition"


def test_repetition_in_a_script_without_spaces_is_dropped() -> None:
    chinese = ("eng_Latn", "zho_Hans")
    assert rule(ENGLISH, "医生今天早上给病人吃药吃药吃药吃药吃药吃药。", chinese) == "repetition"
    assert rule(ENGLISH, "医生今天早上笑着说哈哈哈哈，给病人吃药。", chinese) is None


def test_a_repetition_of_both_sides_is_kept() -> None:
    assert rule("No, no, no, no! Not now, please.", "இல்லை, இல்லை, இல்லை, இல்லை! இப்போது அல்ல.") is None
    assert rule("0 0 0 0 0 in the first row of it", "முதல் வரிசையில் 0 0 0 0 0 உள்ளது") is None


def test_a_long_word_is_dropped_and_a_long_address_is_not() -> None:
    assert rule(ENGLISH, f"{TAMIL} {'மருந்து' * 10}") == "long_word"
    address = f"https://example.org/{'a' * 80}"
    assert rule(f"{ENGLISH} {address}", f"{TAMIL} {address}") is None
    dashes = "the doctor—who had come by the morning train—gave-it-to-him-at-once—and left again"
    assert rule(dashes.replace(" ", "—"), TAMIL) is None


def test_a_half_translated_target_is_dropped() -> None:
    half = "மருத்துவர் இன்று காலை gave the patient his medicine this morning."
    assert rule(ENGLISH, half) in ("untranslated", "wrong_script")
    german = "Die Ärztin gab the patient his medicine this morning."
    assert rule(ENGLISH, german, ("eng_Latn", "deu_Latn")) in ("untranslated", "wrong_language")


def test_copied_names_and_options_are_kept() -> None:
    source = "The New York Times and The Washington Post wrote that --no-index and a_b are wrong."
    target = (
        "„The New York Times“ und „The Washington Post“ schrieben, --no-index und a_b seien falsch."
    )
    assert rule(source, target, ("eng_Latn", "deu_Latn")) is None


def test_chinese_and_korean_keep_sentences_with_latin_names() -> None:
    source = "The European Medicines Agency approved Remdesivir from Gilead Sciences."
    assert (
        rule(
            source,
            "歐洲藥品管理局批准了 Gilead Sciences 公司的 Remdesivir。",
            ("eng_Latn", "zho_Hant"),
        )
        is None
    )
    assert (
        rule(
            source,
            "유럽 의약품청은 Gilead Sciences의 Remdesivir를 승인했다.",
            ("eng_Latn", "kor_Hang"),
        )
        is None
    )


@pytest.mark.parametrize(
    ("source", "target", "differ"),
    [
        ("In 2019 it was 5 km.", "2019 இல் அது 5 கி.மீ.", False),
        ("It was 5 km in 2019.", "௨௦௧௯ இல் அது ௫ கி.மீ.", False),
        ("It costs 1,000,000.", "அதன் விலை 10,00,000.", False),
        ("There are three of them.", "அவற்றில் 3 உள்ளன.", False),
        ("In 2019 it was 5 km.", "2020 இல் அது 5 கி.மீ.", True),
        ("In 2019 it was here.", "அது இங்கே இருந்தது.", True),
        ("It was 5 km long.", "அது 7 கி.மீ. நீளம்.", True),
        ("It begins at 12.00 today.", "இது இன்று 12 மணிக்கு தொடங்குகிறது.", False),
    ],
)
def test_numbers_are_compared_by_value(source: str, target: str, differ: bool) -> None:
    assert bool(features(source, target).flags[0] & NUMBERS_DIFFER) is differ


def test_a_number_of_thousands_of_digits_can_be_compared() -> None:
    rules = CleaningConfig(numbers="drop", max_word_characters=None)
    digits = "9" * 5000
    assert rule(f"{ENGLISH} {digits}", f"{TAMIL} {digits}", rules=rules) is None
    assert rule(f"{ENGLISH} {digits}", f"{TAMIL} {digits}1", rules=rules) == "numbers"


def test_differences_are_dropped_only_if_asked_for() -> None:
    rules = CleaningConfig(numbers="drop", urls="drop")
    assert rule("In 2019 it was here.", "2020 இல் அது இங்கே இருந்தது.", rules=rules) == "numbers"
    source, target = "See www.example.org for more.", "மேலும் பார்க்க www.example.com செல்லவும்."
    assert rule(source, target, rules=rules) == "urls"
    assert features(source, target).flags[0] & URLS_DIFFER
    assert rule(source, target) is None


def test_an_ending_after_an_address_does_not_make_another() -> None:
    flags = features("See https://Example.org/a.", "https://example.org/a-ல் பார்க்கவும்.").flags
    assert not flags[0] & URLS_DIFFER


@pytest.mark.parametrize(
    ("source", "target", "flag"),
    [
        (f"{ENGLISH} He left.", TAMIL, SENTENCES_DIFFER),
        (ENGLISH, TAMIL.rstrip("."), TARGET_UNFINISHED),
        (ENGLISH.rstrip("."), TAMIL, SOURCE_UNFINISHED),
        ("Dr. J. Smith came at 5 p.m. today.", "டாக்டர் ஸ்மித் இன்று மாலை 5 மணிக்கு வந்தார்.", 0),
        (f"{ENGLISH} He left.", f"{TAMIL} அவர் சென்றார்.", 0),
        (f"“{ENGLISH}”", f"“{TAMIL}”", 0),
    ],
)
def test_ends_of_sentences_are_compared(source: str, target: str, flag: int) -> None:
    difference = SENTENCES_DIFFER | TARGET_UNFINISHED | SOURCE_UNFINISHED
    assert features(source, target).flags[0] & difference == flag


def test_text_that_is_cut_off_is_dropped_where_the_corpus_has_full_stops() -> None:
    sources = [f"{ENGLISH} Then number {number} left the house." for number in range(200)]
    targets = [f"{TAMIL} பின்னர் எண் {number} வீட்டை விட்டு வெளியேறினார்." for number in range(200)]
    cut = [*targets[:-1], targets[-1][:60]]
    for texts, dropped in ((cut, True), ([text.rstrip(".") for text in cut], False)):
        block = clean_block(
            sources, texts, CleaningConfig(numbers="ignore"), "eng_Latn", "tam_Taml"
        )
        rules = CleaningConfig(max_ratio_deviation=9)
        drops = fitted_drops(block.features, fit_ratios(block.features), rules)
        assert [drops.names[code] for code in drops.codes if code] == ["truncated"] * dropped
