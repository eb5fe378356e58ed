"""Sentences in other languages, and words in other scripts, for planted errors."""

FOREIGN_WORDS = (
    "больница",
    "вода",
    "병원",
    "학교",
    "مستشفى",
    "בית",
    "νοσοκομείο",
    "โรงพยาบาล",
    "医院",
    "ひらがな",
    "հիվանդանոց",
)

_PARTS = {
    "de": (
        (
            "Die Ärztin",
            "Der Bürgermeister",
            "Unsere Nachbarin",
            "Die neue Regierung",
            "Ein junger Mann",
        ),
        ("hat gestern erklärt, dass", "ist davon überzeugt, dass", "schrieb in einem Brief, dass"),
        (
            "die Preise im Winter steigen werden.",
            "das Wasser nicht getrunken werden darf.",
            "alle Kinder geimpft werden sollen.",
            "der Zug erst morgen früh ankommt.",
        ),
    ),
    "fr": (
        ("Le médecin", "La mairie", "Notre voisine", "Le nouveau gouvernement", "Un jeune homme"),
        ("a expliqué hier que", "est convaincu que", "a écrit dans une lettre que"),
        (
            "les prix vont augmenter cet hiver.",
            "l'eau ne doit pas être bue.",
            "tous les enfants doivent être vaccinés.",
            "le train n'arrivera que demain matin.",
        ),
    ),
    "es": (
        ("El médico", "La alcaldesa", "Nuestra vecina", "El nuevo gobierno", "Un hombre joven"),
        ("explicó ayer que", "está convencido de que", "escribió en una carta que"),
        (
            "los precios subirán este invierno.",
            "no se debe beber el agua.",
            "todos los niños deben vacunarse.",
            "el tren no llegará hasta mañana.",
        ),
    ),
    "nl": (
        ("De dokter", "De burgemeester", "Onze buurvrouw", "De nieuwe regering", "Een jonge man"),
        ("heeft gisteren uitgelegd dat", "is ervan overtuigd dat", "schreef in een brief dat"),
        (
            "de prijzen deze winter zullen stijgen.",
            "het water niet gedronken mag worden.",
            "alle kinderen ingeënt moeten worden.",
            "de trein pas morgenvroeg aankomt.",
        ),
    ),
    "it": (
        ("Il medico", "La sindaca", "La nostra vicina", "Il nuovo governo", "Un giovane"),
        ("ha spiegato ieri che", "è convinto che", "ha scritto in una lettera che"),
        (
            "i prezzi aumenteranno quest'inverno.",
            "l'acqua non deve essere bevuta.",
            "tutti i bambini devono essere vaccinati.",
            "il treno arriverà soltanto domani mattina.",
        ),
    ),
    "pl": (
        ("Lekarz", "Burmistrz", "Nasza sąsiadka", "Nowy rząd", "Młody mężczyzna"),
        ("powiedział wczoraj, że", "jest przekonany, że", "napisał w liście, że"),
        (
            "ceny wzrosną tej zimy.",
            "nie wolno pić tej wody.",
            "wszystkie dzieci powinny być szczepione.",
            "pociąg przyjedzie dopiero jutro rano.",
        ),
    ),
    "id": (
        ("Dokter itu", "Wali kota", "Tetangga kami", "Pemerintah yang baru", "Seorang pemuda"),
        ("menjelaskan kemarin bahwa", "yakin bahwa", "menulis dalam surat bahwa"),
        (
            "harga akan naik pada musim dingin.",
            "air itu tidak boleh diminum.",
            "semua anak harus divaksinasi.",
            "kereta baru akan tiba besok pagi.",
        ),
    ),
    "sv": (
        ("Läkaren", "Borgmästaren", "Vår granne", "Den nya regeringen", "En ung man"),
        ("förklarade i går att", "är övertygad om att", "skrev i ett brev att"),
        (
            "priserna kommer att stiga i vinter.",
            "vattnet inte får drickas.",
            "alla barn borde vaccineras.",
            "tåget kommer först i morgon bitti.",
        ),
    ),
}

FOREIGN_SENTENCES = {
    language: [f"{who} {says} {what}" for who in first for says in second for what in third]
    for language, (first, second, third) in _PARTS.items()
}
"""Sixty sentences per language."""
